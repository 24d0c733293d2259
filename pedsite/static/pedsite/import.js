// A file is sent in pieces: what the server has it keeps, so that after any interruption the same
// file, chosen again, goes on from there. Without this script the form sends the file itself.
(() => {
  const form = document.getElementById("import-form");
  if (!form) return;
  const file = form.querySelector("input[type=file]");
  const upload = form.elements.upload;
  const token = form.elements.csrfmiddlewaretoken.value;
  const sending = document.getElementById("sending");
  // Not of the form: a field of it is called dataset.
  const told = sending.dataset;
  const words = document.getElementById("sending-words");
  const bar = document.getElementById("sending-bar");
  const button = form.querySelector("button.button--primary");
  const PATIENCE = 6; // tries in a row
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  // Of a file of which the server may have a part; the id alone, and only in this browser.
  const memory = ({ name, size, lastModified }) => `pedsite-upload:${name}:${size}:${lastModified}`;

  async function ask(method, url, body, headers = {}) {
    const response = await fetch(url, { method, body, headers: { "X-CSRFToken": token, ...headers } });
    const answer = response.status === 204 ? {} : await response.json();
    if (response.ok) return answer;
    throw Object.assign(new Error(answer.detail || response.statusText), { status: response.status });
  }

  async function begin(chosen) {
    const known = localStorage.getItem(memory(chosen));
    if (known) {
      try {
        return await ask("GET", `${told.uploads}/${known}`);
      } catch (error) {
        if (error.status !== 404) throw error;
      }
    }
    const body = JSON.stringify({ name: chosen.name, size: chosen.size });
    const made = await ask("POST", told.uploads, body, { "Content-Type": "application/json" });
    localStorage.setItem(memory(chosen), made.id);
    return made;
  }

  function show(at, total, text) {
    const percent = Math.floor((100 * at) / total);
    bar.value = percent;
    words.textContent = `${text} · ${percent} %`;
  }

  async function send(chosen) {
    let state = await begin(chosen);
    let failed = 0;
    const url = `${told.uploads}/${state.id}`;
    while (!state.is_whole) {
      show(state.received, state.size, failed ? told.stopped : told.sending);
      const piece = chosen.slice(state.received, state.received + Number(told.piece));
      try {
        const headers = { "Content-Type": "application/octet-stream", "Upload-Offset": String(state.received) };
        state = await ask("PATCH", url, piece, headers);
        failed = 0;
      } catch (error) {
        failed += 1;
        if (failed > PATIENCE || [403, 404, 413, 422].includes(error.status)) throw error;
        await wait(500 * 2 ** failed);
        // The server says how far it is: a piece may have arrived whose answer was lost.
        state = await ask("GET", url).catch(() => state);
      }
    }
    show(state.size, state.size, told.sending);
    localStorage.removeItem(memory(chosen));
    return state.id;
  }

  form.addEventListener("submit", async (event) => {
    const [chosen] = file.files;
    if (!chosen || !chosen.size) return;
    event.preventDefault();
    button.disabled = true;
    sending.hidden = false;
    try {
      upload.value = await send(chosen);
      upload.checked = true; // where it shows an upload of before
      file.disabled = true;
      form.submit();
    } catch (error) {
      words.textContent = `${error.message} ${told.failed}`;
      button.disabled = false;
    }
  });
})();
