// One box: the drawer over the results, stepping from result to result, and the keys.
(() => {
  const drawer = document.getElementById("viewer");
  const body = document.getElementById("viewer-body");
  const keys = document.getElementById("keys");

  // What was found last, so that the drawer and the page of a box can step through it.
  function found() {
    const list = document.querySelector("[data-hits]");
    if (!list) return JSON.parse(sessionStorage.getItem("found") || "null");
    const boxes = [...list.querySelectorAll("[data-box]")].map((hit) => ({
      id: hit.dataset.box,
      rank: hit.querySelector(".hit__rank").textContent,
      score: hit.querySelector("data").textContent,
    }));
    return { query: list.dataset.query, boxes };
  }

  function remember() {
    if (document.querySelector("[data-hits]")) sessionStorage.setItem("found", JSON.stringify(found()));
  }

  const sighting = () =>
    document.querySelector(drawer ? "dialog[open] [data-sighting]" : "[data-sighting]");

  function place(article) {
    const list = found();
    if (!list || list.query !== article.dataset.query) return;
    const at = list.boxes.findIndex((box) => box.id === article.dataset.sighting);
    if (at < 0) return;
    article.querySelector("[data-place]").textContent = `#${list.boxes[at].rank} · ${list.boxes[at].score}`;
    for (const link of article.querySelectorAll("[data-step]")) {
      const next = list.boxes[at + Number(link.dataset.step)];
      const turns = !next && link.dataset.step === "1" && nextPage();
      link.hidden = !next && !turns;
      link.toggleAttribute("data-turns", Boolean(turns));
      if (next) link.setAttribute("href", `/boxes/${next.id}/?${list.query}`);
      if (turns) link.setAttribute("href", turns.getAttribute("href"));
    }
    article.querySelector("[data-end]").hidden = at < list.boxes.length - 1 || Boolean(nextPage());
  }

  const nextPage = () => drawer && document.querySelector("#results [data-next]");

  // In the address a box that is open is a fragment, so that Back closes it and a copied address
  // opens it: the fragment of the box that the address has now, or none.
  const addressed = () => location.hash.match(/^#box-(\d+)$/)?.[1];
  let leaving = false;

  async function show(address) {
    await htmx.ajax("GET", address, { target: "#viewer-body", swap: "innerHTML" });
    const article = body.querySelector("[data-sighting]");
    if (!article) return null;
    if (!drawer.open) drawer.showModal();
    drawer.scrollTop = 0;
    place(article);
    article.querySelector("[data-first-focus]").focus();
    return article.dataset.sighting;
  }

  async function open(address) {
    const box = await show(address);
    if (!box) return;
    if (addressed()) history.replaceState(history.state, "", `#box-${box}`);
    else history.pushState({ box: true }, "", `#box-${box}`);
  }

  function openAddressed() {
    const link = document.querySelector(`[data-box="${addressed()}"] [data-viewer]`);
    show(link?.getAttribute("href") ?? `/boxes/${addressed()}/?${found()?.query ?? ""}`);
  }

  function forgetAddress() {
    if (!addressed()) return;
    if (history.state?.box) {
      leaving = true;
      history.back();
    } else {
      history.replaceState(history.state, "", location.pathname + location.search);
    }
  }

  function turn() {
    const first = () => document.querySelector("[data-hits] [data-viewer]");
    const before = first();
    const swapped = () => {
      if (first() === before) return;
      document.body.removeEventListener("htmx:afterSettle", swapped);
      if (first()) open(first().getAttribute("href"));
    };
    document.body.addEventListener("htmx:afterSettle", swapped);
    nextPage().click();
  }

  function step(by) {
    const link = sighting()?.querySelector(`[data-step="${by}"]:not([hidden])`);
    if (!link) return;
    if (link.hasAttribute("data-turns")) turn();
    else if (drawer) open(link.getAttribute("href"));
    else location.assign(link.href);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]") || event.target === drawer) return drawer.close();
    const link = event.target.closest("[data-viewer], [data-step]");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!drawer || !link || !plain) return;
    event.preventDefault();
    if (link.hasAttribute("data-turns")) turn();
    else open(link.getAttribute("href"));
  });

  // Before htmx, which would fetch the results of an address that it did not write again.
  window.addEventListener("popstate", (event) => {
    if (!drawer || (!leaving && !drawer.open && !addressed())) return;
    event.stopImmediatePropagation();
    if (!leaving && addressed()) openAddressed();
    else if (drawer.open) drawer.close();
    leaving = false;
  }, true);

  drawer?.addEventListener("close", () => {
    forgetAddress();
    const shown = body.querySelector("[data-sighting]")?.dataset.sighting;
    body.replaceChildren();
    // The event comes a moment after the closing: a field chosen meanwhile keeps the focus.
    if (document.activeElement?.matches("input, textarea, select")) return;
    document.querySelector(`[data-box="${shown}"] .hit__open`)?.focus();
  });

  // A key decides on the open box and goes on; a press on a button stays.
  let goesOn = false;
  function decide(verdict) {
    const button = sighting()?.querySelector(`[data-verdict="${verdict}"]`);
    if (!button || goesOn) return;
    if (button.getAttribute("aria-pressed") === "true") return step(1);
    goesOn = true;
    button.click();
  }
  document.body.addEventListener("htmx:afterRequest", (event) => {
    // The form itself is replaced by then, and the event comes from elsewhere.
    if (!goesOn || !event.detail.requestConfig.elt.matches(".verdict")) return;
    goesOn = false;
    if (event.detail.successful) step(1);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=file], [type=checkbox]), textarea, select")) return;
    const act = {
      "/": () => {
        const words = document.getElementById("q");
        if (!words) return location.assign("/search/");
        drawer?.close();
        words.focus();
        words.select();
      },
      "?": () => keys.open || keys.showModal(),
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      c: () => decide("confirmed"),
      x: () => decide("rejected"),
      u: () => decide("unsure"),
      s: () => sighting()?.querySelector("[data-similar]").click(),
    }[event.key];
    if (!act || (keys.open && event.key !== "?")) return;
    if (event.key === "/" || event.key === "?") event.preventDefault();
    act();
  });

  document.body.addEventListener("htmx:afterSwap", remember);
  remember();
  if (!drawer && sighting()) place(sighting());
  if (drawer && addressed()) openAddressed();
})();
