// The editor of a frame: boxes are drawn, moved and resized by mouse, pen, finger or keys, and saved
// as soon as that is done. The form beside it has the same numbers, and works without this.
(() => {
  const frame = document.querySelector("[data-editor]");
  if (!frame) return;
  const svg = frame.querySelector("svg");
  const drawn = frame.querySelector("[data-drawn]");
  const handles = frame.querySelector("[data-handles]");
  const form = document.querySelector("[data-form]");
  const toggle = document.querySelector("[data-draw]");
  const problem = form.querySelector("[data-problem]");
  const state = form.querySelector("[data-status]");
  const [width, height, least] = ["width", "height", "least"].map((name) => Number(frame.dataset[name]));
  const SIDES = ["left", "top", "right", "bottom"];
  const GRIPS = { nw: [0, 0], n: [0.5, 0], ne: [1, 0], e: [1, 0.5], se: [1, 1], s: [0.5, 1], sw: [0, 1], w: [0, 0.5] };
  const MOVED = 4; // pixels of the screen: less is a click
  const QUIET_MS = 700; // after the last key
  const saved = new Map(); // bounds by number, as the server has them
  let chosen = null;
  let bounds = null; // of the chosen box, or of the one that is being drawn
  let gesture = null;
  let drawing = false;
  let timer = null;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const link = (id) => svg.querySelector(`[data-box="${id}"]`);
  const same = (one, other) => Boolean(one && other) && one.every((value, at) => value === other[at]);

  for (const box of svg.querySelectorAll("[data-box]")) {
    saved.set(box.dataset.box, box.dataset.bounds.split(",").map(Number));
  }

  // Showing

  function show(next) {
    bounds = next;
    const [left, top, right, bottom] = next;
    SIDES.forEach((side, at) => { form.elements[side].value = next[at]; });
    if (chosen) {
      link(chosen).querySelector("path").setAttribute("d", `M${left} ${top}H${right}V${bottom}H${left}Z`);
    } else {
      drawn.removeAttribute("hidden");
      const place = { x: left, y: top, width: right - left, height: bottom - top };
      for (const [name, value] of Object.entries(place)) drawn.setAttribute(name, value);
    }
    grip();
  }

  function grip() {
    handles.replaceChildren();
    if (!chosen || !bounds) return;
    const size = (matchMedia("(pointer: coarse)").matches ? 22 : 11) / svg.getScreenCTM().a;
    const [left, top, right, bottom] = bounds;
    for (const [name, [x, y]] of Object.entries(GRIPS)) {
      const handle = document.createElementNS(svg.namespaceURI, "rect");
      handle.setAttribute("class", `frame__handle frame__handle--${name}`);
      handle.dataset.grip = name;
      handle.setAttribute("x", left + x * (right - left) - size / 2);
      handle.setAttribute("y", top + y * (bottom - top) - size / 2);
      handle.setAttribute("width", size);
      handle.setAttribute("height", size);
      handles.append(handle);
    }
  }

  function choose(id) {
    if (id === chosen) return;
    flush();
    for (const box of svg.querySelectorAll("[aria-current]")) box.removeAttribute("aria-current");
    chosen = id;
    bounds = null;
    drawn.setAttribute("hidden", "");
    say("");
    const title = form.querySelector("[data-title]");
    title.textContent = id ? title.dataset.boxWords.replace("%", id) : title.dataset.new;
    form.elements.box.value = id ?? "";
    form.elements.key.value = id ? link(id).dataset.key : "";
    form.querySelector("[data-of-box]").hidden = !id;
    for (const side of SIDES) form.elements[side].value = "";
    handles.replaceChildren();
    if (!id) return;
    link(id).setAttribute("aria-current", "true");
    show(saved.get(id));
  }

  function say(text, isProblem = false) {
    state.textContent = isProblem ? "" : text;
    problem.textContent = isProblem ? text : "";
    problem.hidden = !isProblem;
  }

  // Saving

  async function save() {
    clearTimeout(timer);
    timer = null;
    const [id, wanted] = [chosen, bounds];
    if (!wanted || same(wanted, saved.get(id))) return;
    const body = new FormData(form);
    body.set("action", "save");
    body.set("box", id ?? "");
    SIDES.forEach((side, at) => body.set(side, wanted[at]));
    let answer = { problem: frame.dataset.failed };
    try {
      const response = await fetch(form.getAttribute("action"), { method: "POST", keepalive: true, body, headers: { Accept: "application/json" } });
      answer = await response.json();
    } catch { /* said below */ }
    if (answer.problem) return refused(id, answer.problem);
    if (!id) return location.assign(`?box=${answer.box}`);
    saved.set(id, wanted);
    if (id === chosen) say(frame.dataset.saved);
    const crop = document.querySelector(`[data-choose="${id}"] img`);
    crop.src = crop.src.replace(/v=[\d-]+/, `v=${wanted.join("-")}`);
    htmx.ajax("GET", location.pathname, { target: "#way-back", select: "#way-back", swap: "outerHTML" });
  }

  function refused(id, text) {
    if (id !== chosen) return;
    say(text, true);
    if (id) show(saved.get(id));
    else drawn.setAttribute("hidden", "");
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(save, QUIET_MS);
  }

  function flush() { if (timer) save(); }

  // Moving and resizing; all of it stays inside the picture.

  function moved([left, top, right, bottom], x, y) {
    const [across, down] = [clamp(x, -left, width - right), clamp(y, -top, height - bottom)];
    return [left + across, top + down, right + across, bottom + down].map(Math.round);
  }

  function resized([left, top, right, bottom], name, x, y) {
    const small = Math.min(least, width, height);
    if (name.includes("w")) left = clamp(left + x, 0, right - small);
    if (name.includes("e")) right = clamp(right + x, left + small, width);
    if (name.includes("n")) top = clamp(top + y, 0, bottom - small);
    if (name.includes("s")) bottom = clamp(bottom + y, top + small, height);
    return [left, top, right, bottom].map(Math.round);
  }

  // By pointer

  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [clamp(point.x, 0, width), clamp(point.y, 0, height)];
  }

  function draw(on) {
    drawing = on;
    toggle.setAttribute("aria-pressed", on);
    frame.classList.toggle("is-drawing", on);
    if (on) choose(null);
    else if (!chosen) drawn.setAttribute("hidden", "");
  }

  function apply(event) {
    const [x, y] = at(event);
    const [fromX, fromY] = gesture.from;
    if (gesture.kind === "move") show(moved(gesture.bounds, x - fromX, y - fromY));
    else if (gesture.kind === "draw") show([Math.min(x, fromX), Math.min(y, fromY), Math.max(x, fromX), Math.max(y, fromY)].map(Math.round));
    else show(resized(gesture.bounds, gesture.kind, x - fromX, y - fromY));
  }

  frame.addEventListener("dragstart", (event) => event.preventDefault());
  frame.addEventListener("click", (event) => {
    // The pointer has chosen already; only a press of Enter on a box comes without one.
    if (event.target.closest("[data-box]")) event.preventDefault();
  });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    const name = event.target.dataset.grip;
    const box = event.target.closest("[data-box]")?.dataset.box;
    const fresh = drawing || (!name && !box);
    if (fresh && event.pointerType === "touch" && !drawing) return;
    // A finger scrolls the page over a box that it has not chosen yet.
    if (box && box !== chosen && !drawing) {
      choose(box);
      link(box).focus({ preventScroll: true });
      if (event.pointerType === "touch") return;
    }
    if (fresh) choose(null);
    gesture = { kind: fresh ? "draw" : name ?? "move", from: at(event), x: event.clientX, y: event.clientY, bounds, began: false };
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => {
    if (!gesture || !event.isPrimary) return;
    gesture.began ||= Math.hypot(event.clientX - gesture.x, event.clientY - gesture.y) >= MOVED;
    if (gesture.began) apply(event);
  });
  frame.addEventListener("pointerup", (event) => {
    if (!gesture || !event.isPrimary) return;
    const { began } = gesture;
    if (began) apply(event);
    gesture = null;
    if (chosen) link(chosen).focus({ preventScroll: true });
    if (began) save();
  });
  frame.addEventListener("pointercancel", () => {
    if (gesture && chosen) show(gesture.bounds);
    gesture = null;
  });

  // By keys

  svg.addEventListener("focusin", (event) => {
    const box = event.target.closest("[data-box]")?.dataset.box;
    if (box) choose(box);
  });

  function press(selector) { form.querySelector(selector).click(); }

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.isComposing || event.target.closest("input, textarea, select, dialog")) return;
    const held = event.ctrlKey || event.metaKey;
    const by = event.shiftKey ? 10 : 1;
    const [x, y] = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key] ?? [];
    if (x !== undefined && bounds) {
      show(held ? resized(bounds, x ? "e" : "s", x, y) : moved(bounds, x, y));
      if (chosen) later();
    } else if (held && event.key === "z") document.querySelector("[data-undo]")?.click();
    else if (held) return;
    else if ((event.key === "Delete" || event.key === "Backspace") && chosen) press("[data-delete]");
    else if (event.key === "h" && chosen) press("[data-hide]");
    else if (event.key === "n") {
      draw(true);
      show([width / 4, height / 4, (3 * width) / 4, (3 * height) / 4].map(Math.round));
    } else if (event.key === "Enter" && !chosen && bounds && drawing) save();
    else if (event.key === "Escape") {
      if (gesture && chosen) show(gesture.bounds);
      gesture = null;
      draw(false);
      choose(null);
      document.activeElement.blur();
    } else return;
    event.preventDefault();
  });

  toggle.addEventListener("click", () => draw(!drawing));
  form.addEventListener("input", (event) => {
    const next = SIDES.map((side) => form.elements[side].valueAsNumber);
    const [left, top, right, bottom] = next;
    const fits = left >= 0 && top >= 0 && right <= width && bottom <= height && right - left >= 1 && bottom - top >= 1;
    if (SIDES.includes(event.target.name) && fits) show(next);
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value !== "save") return;
    event.preventDefault();
    save();
  });
  document.addEventListener("click", (event) => {
    const id = event.target.closest("[data-choose]")?.dataset.choose;
    if (!id || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link(id).focus();
  });
  addEventListener("resize", grip);
  addEventListener("pagehide", flush);

  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
  const first = svg.querySelector("[aria-current]");
  if (first) {
    choose(first.dataset.box);
    first.focus({ preventScroll: true });
  }
})();
