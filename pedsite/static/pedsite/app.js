// What every page shares: menus that close, dialogs that open, forms that ask first.
(() => {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      navigator.clipboard.writeText(copier.dataset.copy);
      copier.classList.add("is-copied");
    }
  });

  // A sheet left by Tab would cover what has the focus now. A press on a label moves the focus too,
  // before it reaches its field: the sheet must still be there then.
  let tabbed = false;
  document.addEventListener("keydown", (event) => { tabbed = event.key === "Tab"; }, true);
  document.addEventListener("pointerdown", () => { tabbed = false; }, true);
  document.addEventListener("focusin", (event) => {
    if (!tabbed) return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // htmx leaves answers of 400 and above aside; a fragment that explains itself is shown.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event;
    const { xhr } = detail;
    if (new URL(xhr.responseURL).pathname.startsWith("/login/")) {
      detail.shouldSwap = false;
      location.reload();
    } else if (xhr.status >= 400 && xhr.getResponseHeader("HX-Push-Url")) {
      detail.shouldSwap = true;
      detail.isError = false;
    }
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => {
      const trouble = document.getElementById("trouble");
      trouble.hidden = false;
      setTimeout(() => { trouble.hidden = true; }, 8000);
    });
  }

  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
})();
