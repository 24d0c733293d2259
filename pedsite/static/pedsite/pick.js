// The picture that was shown: a region of it is drawn by mouse, pen or finger, or set by keys.
(() => {
  const frame = document.querySelector("[data-pick]");
  if (!frame) return;
  const svg = frame.querySelector("svg");
  const drawn = frame.querySelector("[data-drawn]");
  const toggle = document.querySelector("[data-draw]");
  const panel = document.getElementById("region");
  const bounds = panel.querySelector("[data-bounds]");
  const go = panel.querySelector("[data-go]");
  const [width, height] = [Number(frame.dataset.width), Number(frame.dataset.height)];
  const LEAST = 8; // pixels of the screen: less is a click
  const STEP = Math.max(1, Math.round(Math.max(width, height) / 50)); // of a key, in the picture's pixels
  let start = null;
  let region = null; // left, top, right, bottom
  let drawing = false; // the mode of the button; without it a finger scrolls the page

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function show(next) {
    region = next;
    const [left, top, right, bottom] = next;
    drawn.removeAttribute("hidden");
    drawn.setAttribute("x", left);
    drawn.setAttribute("y", top);
    drawn.setAttribute("width", right - left);
    drawn.setAttribute("height", bottom - top);
    bounds.textContent = `${left}, ${top} – ${right}, ${bottom}`;
    go.href = frame.dataset.href + next.join(",");
  }

  function draw(on) {
    drawing = on;
    toggle.setAttribute("aria-pressed", on);
    panel.hidden = !on;
    frame.classList.toggle("is-drawing", on);
    if (!on) return drawn.setAttribute("hidden", "");
    // The middle half, to begin with.
    show(region || [width / 4, height / 4, (3 * width) / 4, (3 * height) / 4].map(Math.round));
    drawn.focus();
  }

  // By keys

  function moved([left, top, right, bottom], x, y) {
    const across = clamp(x, -left, width - right);
    const down = clamp(y, -top, height - bottom);
    return [left + across, top + down, right + across, bottom + down];
  }

  function resized([left, top, right, bottom], x, y) {
    const least = (side, from) => Math.min(from + STEP, side);
    return [left, top, clamp(right + x, least(width, left), width), clamp(bottom + y, least(height, top), height)];
  }

  toggle.addEventListener("click", () => draw(!drawing));
  drawn.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] || [];
    if (x !== undefined) show((event.shiftKey ? resized : moved)(region, x, y));
    else if (event.key === "Enter" || event.key === " ") location.assign(go.href);
    else if (event.key === "Escape") { draw(false); toggle.focus(); }
    else return;
    event.preventDefault();
  });

  // By pointer

  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [clamp(point.x, 0, width), clamp(point.y, 0, height)];
  }

  function between(event) {
    const [x, y] = at(event);
    return [Math.min(start.x, x), Math.min(start.y, y), Math.max(start.x, x), Math.max(start.y, y)].map(Math.round);
  }

  const enough = ([left, top, right, bottom], event) =>
    Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) >= LEAST && right > left && bottom > top;

  function stay(click) { click.preventDefault(); }

  function forget() {
    start = null;
    if (!drawing) drawn.setAttribute("hidden", "");
  }

  frame.addEventListener("dragstart", (event) => event.preventDefault());
  frame.addEventListener("pointerdown", (event) => {
    frame.removeEventListener("click", stay, { capture: true });
    if ((event.pointerType === "touch" && !drawing) || event.button !== 0 || !event.isPrimary) return;
    const [x, y] = at(event);
    start = { x, y, clientX: event.clientX, clientY: event.clientY };
  });
  addEventListener("pointermove", (event) => {
    if (!start || !event.isPrimary) return;
    const next = between(event);
    if (enough(next, event)) show(next);
  });
  addEventListener("pointerup", (event) => {
    if (!start || !event.isPrimary) return;
    const next = between(event);
    const done = enough(next, event);
    forget();
    if (!done) return;
    // The click that ends the drawing must not follow the box under it.
    frame.addEventListener("click", stay, { capture: true, once: true });
    show(next);
    if (drawing) drawn.focus({ preventScroll: true });
    else location.assign(go.href);
  });
  // The browser took the gesture for itself, as a pinch.
  addEventListener("pointercancel", forget);
})();
