// The picture that was shown: a region of it can be drawn with the mouse or a pen.
(() => {
  const frame = document.querySelector("[data-pick]");
  if (!frame) return;
  const svg = frame.querySelector("svg");
  const drawn = frame.querySelector("[data-drawn]");
  const [width, height] = [Number(frame.dataset.width), Number(frame.dataset.height)];
  const LEAST = 8; // pixels of the screen: less is a click
  let start = null;

  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [Math.min(Math.max(point.x, 0), width), Math.min(Math.max(point.y, 0), height)];
  }

  function region(event) {
    const [x, y] = at(event);
    return [Math.min(start.x, x), Math.min(start.y, y), Math.max(start.x, x), Math.max(start.y, y)].map(Math.round);
  }

  const moved = (event) => Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) >= LEAST;

  frame.addEventListener("dragstart", (event) => event.preventDefault());
  frame.addEventListener("pointerdown", (event) => {
    // A finger scrolls the page.
    if (event.pointerType === "touch" || event.button !== 0) return;
    const [x, y] = at(event);
    start = { x, y, clientX: event.clientX, clientY: event.clientY };
  });
  addEventListener("pointermove", (event) => {
    if (!start || !moved(event)) return;
    const [left, top, right, bottom] = region(event);
    drawn.removeAttribute("hidden");
    drawn.setAttribute("x", left);
    drawn.setAttribute("y", top);
    drawn.setAttribute("width", right - left);
    drawn.setAttribute("height", bottom - top);
  });
  addEventListener("pointerup", (event) => {
    if (!start) return;
    const [left, top, right, bottom] = region(event);
    const enough = moved(event) && right > left && bottom > top;
    start = null;
    drawn.setAttribute("hidden", "");
    if (!enough) return;
    // The click that ends the drawing must not follow the box under it.
    frame.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    location.assign(frame.dataset.href + [left, top, right, bottom].join(","));
  });
})();
