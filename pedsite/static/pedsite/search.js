// The search page: filters that act at once, and pictures that are dropped, pasted or chosen.
(() => {
  const form = document.getElementById("search-form");
  const words = document.getElementById("q");
  const results = document.getElementById("results");
  const pictureForm = document.getElementById("picture-form");
  const picture = document.getElementById("picture");
  const dropzone = document.getElementById("dropzone");
  const busy = document.getElementById("picture-busy");

  for (const element of document.querySelectorAll("[data-scripted]")) element.hidden = false;

  // Filters

  const asking = () => words.value.trim() !== "" || form.querySelector("[data-asked]");

  form.addEventListener("change", (event) => {
    const filters = event.target.closest("[data-filters]");
    if (!filters) return;
    const filter = event.target.closest(".filter");
    if (filter && !filter.matches(".filter--more")) showCount(filter);
    if (asking()) form.requestSubmit();
  });

  function showCount(filter) {
    const count = filter.querySelectorAll(":checked").length;
    let badge = filter.querySelector(".filter__count");
    if (!badge) {
      badge = document.createElement("b");
      badge.className = "filter__count";
      filter.querySelector("summary > span").append(badge);
    }
    badge.textContent = count;
    badge.hidden = count === 0;
  }

  // The slider goes in powers of ten.
  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-far]")) return;
    const count = (10 ** Number(event.target.value)).toLocaleString("en");
    event.target.setAttribute("aria-valuetext", count);
    event.target.nextElementSibling.textContent = count;
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === results) results.setAttribute("aria-busy", "true");
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target === results) results.removeAttribute("aria-busy");
  });

  // Pictures

  function show(file) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    picture.files = transfer.files;
    send();
  }

  function send() {
    const filters = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (["dataset", "camera", "after", "before", "from", "until", "identity", "caption", "review", "purpose"].includes(name) && value) filters.append(name, value);
    }
    pictureForm.elements.filters.value = filters.toString();
    pictureForm.elements.q.value = words.value;
    busy.hidden = false;
    pictureForm.submit();
  }

  picture.addEventListener("change", () => picture.files.length && send());
  // Coming back by the back button must not show the curtain that covered the leaving.
  addEventListener("pageshow", () => { busy.hidden = true; });

  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (carriesFile(event) && ++depth) dropzone.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (carriesFile(event) && --depth <= 0) dropzone.hidden = true;
  });
  addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    depth = 0;
    dropzone.hidden = true;
    if (event.dataTransfer.files.length) show(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    show(file);
  });
})();
