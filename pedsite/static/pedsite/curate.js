// Ticking many: all of a page, or a stretch with Shift; ticking one means the ticked ones.
(() => {
  const ticks = () => [...document.querySelectorAll('input[type=checkbox][form="bulk"]')];
  let last = null;

  function reveal() {
    for (const part of document.querySelectorAll("#bulk [data-scripted]")) part.hidden = false;
    last = null;
  }

  document.addEventListener("click", (event) => {
    if (!event.target.matches('input[type=checkbox][form="bulk"]')) return;
    const all = ticks();
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
      for (const tick of all.slice(from, to + 1)) tick.checked = event.target.checked;
    }
    last = event.target;
    const scope = document.querySelector("[data-scope]");
    if (scope) scope.value = "selected";
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-tick-all]")) return;
    for (const tick of ticks()) tick.checked = event.target.checked;
  });

  document.body.addEventListener("htmx:afterSwap", reveal);
  reveal();
})();
