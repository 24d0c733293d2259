// Reading values off charts with a pointer or the arrow keys, and moving the operating point.
// All numbers and words come with the page; listeners sit on the document, so charts that htmx
// brings need no set-up.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const parsed = new WeakMap();

  function pointsOf(line) {
    if (!parsed.has(line)) parsed.set(line, JSON.parse(line.dataset.points));
    return parsed.get(line);
  }

  function nearest(points, column, wanted) {
    let best = 0;
    points.forEach((point, place) => {
      if (Math.abs(point[column] - wanted) < Math.abs(points[best][column] - wanted)) best = place;
    });
    return best;
  }

  // Where on the sheet a pointer is, in the units that its lines are drawn in.
  function spot(sheet, event) {
    const frame = sheet.getBoundingClientRect();
    const { width, height } = sheet.viewBox.baseVal;
    return [
      ((event.clientX - frame.left) / frame.width) * width,
      ((event.clientY - frame.top) / frame.height) * height,
    ];
  }

  function read(sheet, x) {
    const cursor = sheet.querySelector("[data-cursor]");
    const lines = [...sheet.querySelectorAll("[data-points]")].filter((line) => pointsOf(line).length);
    if (!lines.length) return;
    for (const dot of cursor.querySelectorAll("circle")) dot.remove();
    const first = pointsOf(lines[0]);
    const at = first[nearest(first, 0, x)];
    const words = [];
    for (const line of lines) {
      const points = pointsOf(line);
      const [px, py, , value] = points[nearest(points, 0, at[0])];
      const dot = document.createElementNS(SVG, "circle");
      dot.setAttribute("cx", px - at[0]);
      dot.setAttribute("cy", py);
      dot.setAttribute("r", "3.5");
      cursor.append(dot);
      words.push(lines.length > 1 ? `${line.dataset.name} ${value}` : value);
    }
    cursor.setAttribute("transform", `translate(${at[0]} 0)`);
    cursor.setAttribute("visibility", "visible");
    sheet.dataset.at = at[0];
    sheet.closest("[data-chart]").querySelector("[data-reading]").textContent = `${at[2]}: ${words.join(", ")}`;
  }

  function leave(sheet) {
    sheet.querySelector("[data-cursor]").setAttribute("visibility", "hidden");
    sheet.closest("[data-chart]").querySelector("[data-reading]").textContent = "";
    delete sheet.dataset.at;
  }

  document.addEventListener("pointermove", (event) => {
    const sheet = event.target.closest?.(".chart__sheet");
    if (sheet) read(sheet, spot(sheet, event)[0]);
  });
  document.addEventListener("pointerout", (event) => {
    const sheet = event.target.closest?.(".chart__sheet");
    if (sheet && !sheet.contains(event.relatedTarget)) leave(sheet);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.(".chart__sheet")) leave(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const sheet = event.target;
    if (!sheet.matches?.(".chart__sheet") || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const line = sheet.querySelector("[data-points]");
    if (!line || !pointsOf(line).length) return;
    const places = [...new Set(pointsOf(line).map((point) => point[0]))].sort((a, b) => a - b);
    const now = "at" in sheet.dataset ? places.indexOf(Number(sheet.dataset.at)) : -1;
    const next = now < 0 ? 0 : now + (event.key === "ArrowRight" ? 1 : -1);
    read(sheet, places[Math.min(places.length - 1, Math.max(0, next))]);
    event.preventDefault();
  });

  const section = document.querySelector("[data-operating]");
  if (!section) return;
  // threshold, FAR, FRR, one in so many; x and y on the ROC and the DET curve, x among the scores.
  const rows = JSON.parse(section.dataset.rows);
  const slider = section.querySelector("input[type=range]");
  const chart = (key) => section.querySelector(`[data-chart="${key}"]`);

  function show(place) {
    const [threshold, far, frr, oneIn, rocX, rocY, detX, detY, score] = rows[place];
    for (const [key, x, y] of [["roc", rocX, rocY], ["det", detX, detY]]) {
      const mark = chart(key).querySelector("[data-mark]");
      mark.setAttribute("cx", x);
      mark.setAttribute("cy", y);
    }
    chart("scores").querySelector("[data-rule]").setAttribute("transform", `translate(${score} 0)`);
    section.querySelector("[data-threshold]").textContent = threshold;
    section.querySelector("[data-far]").textContent = far;
    section.querySelector("[data-frr]").textContent = frr;
    section.querySelector("[data-one-in]").textContent = oneIn;
    const words = section.dataset.say.replace("{threshold}", threshold).replace("{far}", far).replace("{frr}", frr);
    slider.setAttribute("aria-valuetext", words);
  }

  function move(place) {
    slider.value = place;
    show(place);
    keep();
  }

  // The address names the threshold, so that it can be sent to someone.
  function keep() {
    const address = new URL(location.href);
    address.searchParams.set("threshold", rows[slider.value][0]);
    history.replaceState(history.state, "", address);
  }

  slider.hidden = false;
  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("change", keep);
  section.addEventListener("click", (event) => {
    const sheet = event.target.closest(".chart__sheet");
    if (!sheet) return;
    const column = { roc: 4, det: 6, scores: 8 }[sheet.closest("[data-chart]").dataset.chart];
    move(nearest(rows, column, spot(sheet, event)[0]));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-at]:not(.chart__sheet)");
    if (!link) return;
    event.preventDefault();
    move(Number(link.dataset.at));
    section.scrollIntoView({ block: "start" });
    slider.focus({ preventScroll: true });
  });
})();
