// One caption at a time: a key for each verdict, one to skip, one to write.
(() => {
  let pressed = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    const writing = event.target.closest("input, textarea, select, dialog");
    if (event.key === "Escape" && writing) writing.blur();
    if (writing) return;
    const key = event.key === "ArrowRight" ? "n" : event.key;
    const wanted = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!wanted) return;
    event.preventDefault();
    if (wanted.matches("textarea")) {
      wanted.focus();
      wanted.setSelectionRange(wanted.value.length, wanted.value.length);
    } else if (!pressed) {
      // A second key before the next caption is there would be about the one that is leaving.
      pressed = true;
      wanted.click();
    }
  });
  addEventListener("pageshow", () => { pressed = false; });
})();
