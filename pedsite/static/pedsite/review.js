// The queue of review: one key a decision, undo, skip; choosing a tile means the chosen ones.
(() => {
  const press = (selector) => document.querySelector(selector)?.click();
  const one = document.querySelector(".verdict--large");

  document.addEventListener("change", (event) => {
    const scope = document.querySelector("[data-scope]");
    if (scope && event.target.matches('[form="bulk"]')) scope.value = "selected";
  });

  let pressed = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    const verdict = { c: "confirmed", x: "rejected", u: "unsure" }[event.key];
    // A second key before the next finding is there would be about the one that is leaving.
    if (verdict && one && !pressed) {
      pressed = true;
      // What it was judged already stays so.
      const said = document.querySelector(`.verdict--large [data-verdict="${verdict}"]`);
      if (said.getAttribute("aria-pressed") === "true") press("[data-skip]");
      else said.click();
    } else if (event.key === "z") press("[data-undo]");
    else if (event.key === "ArrowRight") press("[data-skip]");
  });
  addEventListener("pageshow", () => { pressed = false; });
})();
