"""One optimization step: towers, objective, gradients, weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from training.ml.dual_encoder import DualEncoder
from training.ml.loader import Loaded
from training.ml.objectives.base import Objective, Outputs, Targets
from training.ml.optim import Ema
from training.ml.processes import gathered, share

# Pictures, and the tokens of groups of texts, that the towers read at once.
Chunk = tuple[Tensor | None, Sequence[tuple[Tensor, ...]]]
# Image vectors, log probabilities of facts, text vectors, as DualEncoder gives them.
Features = tuple[Tensor | None, Tensor | None, Tensor | None]


class Diverged(RuntimeError):
    """The loss is not a number any more."""


class Learner:
    """What is trained, and by what.

    Args:
        trained: holds the parameters that the optimizer moves; their gradients are clipped
            together to the length `clip_norm`.
        chunks: parts of the batch that are encoded one after the other. The loss is that of the
            whole batch all the same, at the price of encoding everything twice.
        ema: follows the model's weights; None for none.
        gallery: (G, D) vectors of fixed pictures, against which texts are trained; without it
            pictures and texts are trained against each other.
        seed: of what the towers draw themselves, such as dropout.

    Source: Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited
        Setup (GradCache), for the two passes over chunks.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: nn.Module,
        objective: Objective,
        trained: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        clip_norm: float,
        chunks: int = 1,
        ema: Ema | None = None,
        gallery: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        self.accelerator = accelerator
        self.runs = model  # DistributedDataParallel around the model where processes are many
        self.model: DualEncoder = accelerator.unwrap_model(model)
        self.objective = objective
        self.trained = trained
        self.optimizer = accelerator.prepare_optimizer(optimizer)
        self.clip_norm = clip_norm
        self.chunks = chunks
        self.ema = ema
        self.gallery = gallery
        self.seed = seed

    def step(self, loaded: Loaded, rate: float) -> dict[str, float]:
        """Train on one batch.

        Returns: `loss`, its terms, and the length of the gradient before it was clipped.
        Raises: Diverged.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # A function of the step, so that a resumed run drops out the same; shares differ.
        torch.manual_seed((self.seed * 1_000_003 + loaded.step) * 1009 + self._index)
        self.optimizer.zero_grad(set_to_none=True)
        chunks = self._chunks(loaded)
        features, states = self._encode(chunks)
        # The loss sees leaves: what it asks of them is handed on to the towers, chunk by chunk.
        image, facts, text = features
        leaves = _leaf(image), _leaf(facts), _leaf(text)
        losses = self.objective(
            self._outputs(loaded, leaves), Targets.of(loaded.batch, self.accelerator.device)
        )
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            raise Diverged(f"the loss is {float(total)}; a lower lr may help")
        self.accelerator.backward(total)
        self._hand_on(chunks, features, leaves, states)
        self._average_objective()
        norm = self.accelerator.clip_grad_norm_(self.trained.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.follow(self.model)
        values = {name: float(value.detach()) for name, value in losses.items()}
        return {"loss": float(total.detach())} | values | {"grad_norm": float(norm)}

    @contextmanager
    def serving(self) -> Iterator[DualEncoder]:
        """The model with the weights that are judged and kept: the average, where there is one."""
        average = getattr(self.optimizer.optimizer, "eval", None)
        if self.ema is None and average is None:
            yield self.model
            return
        parts = (self.model, self.objective)
        before = [_copied(part.state_dict()) for part in parts]
        if average is not None:
            average()
        if self.ema is not None:
            self.model.load_state_dict(self.ema.weights)
        try:
            yield self.model
        finally:
            if average is not None:
                self.optimizer.optimizer.train()
            for part, state in zip(parts, before, strict=True):
                part.load_state_dict(state)

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs to go on as if it had not been cut."""
        return {
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": None if self.ema is None else self.ema.state(),
            # Of fp16's scaled losses; the others have none.
            "scaler": self.accelerator.scaler and self.accelerator.scaler.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.ema is not None:
            self.ema.load(state["ema"])
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])

    @property
    def _index(self) -> int:
        return int(self.accelerator.process_index)

    def _chunks(self, loaded: Loaded) -> list[Chunk]:
        place = self.accelerator.device
        pictures = None if loaded.pictures is None else loaded.pictures.to(place)
        groups = [] if loaded.texts is None else loaded.texts.to(place).groups
        if self.chunks == 1:
            return [(pictures, groups)]
        none: tuple[Tensor | None, ...] = (None,) * self.chunks
        parts = none if pictures is None else pictures.tensor_split(self.chunks)
        each = [groups[share(len(groups), at, self.chunks)] for at in range(self.chunks)]
        return list(zip(parts, each, strict=True))

    def _encode(self, chunks: list[Chunk]) -> tuple[Features, list[list[Tensor]]]:
        """The batch's features. Of several chunks without a graph, but with what was drawn."""
        if len(chunks) == 1:
            return self.runs(*chunks[0]), []
        found, states = [], []
        with torch.no_grad(), _norms_kept(self.model):
            for chunk in chunks:
                states.append(_random_state())
                found.append(self.model(*chunk))
        image, facts, text = (_joined([parts[place] for parts in found]) for place in range(3))
        return (image, facts, text), states

    def _hand_on(
        self, chunks: list[Chunk], features: Features, leaves: Features, states: list[list[Tensor]]
    ) -> None:
        """The gradients of the leaves to the towers; chunks are encoded again, now with a graph."""
        # The towers' gradients are averaged over the processes, but each process gives a share.
        share_of = self.accelerator.num_processes
        asked = [None if x is None or x.grad is None else x.grad * share_of for x in leaves]
        if not states:
            _backward(features, asked)
            return
        done = [0, 0, 0]
        for chunk, state in zip(chunks, states, strict=True):
            last = chunk is chunks[-1]
            with nullcontext() if last else self.accelerator.no_sync(self.runs):
                _set_random_state(state)
                encoded = self.runs(*chunk)
                parts = []
                for place, out in enumerate(encoded):
                    rows = slice(done[place], done[place] + (0 if out is None else len(out)))
                    whole = asked[place]
                    parts.append(None if whole is None else whole[rows])
                    done[place] = rows.stop
                _backward(encoded, parts)

    def _average_objective(self) -> None:
        """The processes' losses are one; averaged, rounding cannot drive their copies apart."""
        if self.accelerator.num_processes == 1:
            return
        for parameter in self.objective.parameters():
            if parameter.grad is not None:
                parameter.grad = self.accelerator.reduce(parameter.grad, "mean")

    def _outputs(self, loaded: Loaded, leaves: Features) -> Outputs:
        image, facts, text = leaves
        pictures, texts = len(loaded.batch.pixels), len(loaded.batch.texts)
        if text is not None:
            assert loaded.texts is not None
            text = gathered(self.accelerator, text[loaded.texts.order.to(text.device)], texts)
        if image is not None:
            image = gathered(self.accelerator, image, pictures)
        if facts is not None:
            facts = gathered(self.accelerator, facts, pictures)
        return Outputs(
            image=self.gallery if image is None else image,
            text=text,
            facts=facts,
            space=self.model.space,
            image_is_fixed=self.gallery is not None,
        )


def _leaf(part: Tensor | None) -> Tensor | None:
    return None if part is None else part.detach().float().requires_grad_()


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None


def _backward(features: Sequence[Tensor | None], asked: Sequence[Tensor | None]) -> None:
    both = [
        (out, grad)
        for out, grad in zip(features, asked, strict=True)
        # A tower that is wholly frozen asks for nothing.
        if out is not None and grad is not None and out.requires_grad
    ]
    if both:
        torch.autograd.backward([out for out, _ in both], [grad for _, grad in both])


@contextmanager
def _norms_kept(model: nn.Module) -> Iterator[None]:
    """The pictures come by twice; running statistics are to see them once."""
    norms = [one for one in model.modules() if isinstance(one, _BatchNorm)]
    before = [_copied(one.state_dict()) for one in norms]
    try:
        yield
    finally:
        for norm, state in zip(norms, before, strict=True):
            norm.load_state_dict(state)


def _random_state() -> list[Tensor]:
    return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]


def _set_random_state(state: list[Tensor]) -> None:
    torch.set_rng_state(state[0])
    if state[1:]:
        torch.cuda.set_rng_state_all(state[1:])


def _copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}
