// The list of events, and the panel of the selected one: pictures, scores, and a form that corrects it.

const MARKS = ["onset", "apex", "offset"];
const STATUS_TEXTS = {
  found: "found by learnet", confirmed: "confirmed", changed: "changed", added: "added",
};

class EventEditor {
  constructor(page) {
    Object.assign(this, page);  // data, frames, motion, store, player
    this.pictures = null;  // of single frames, where there is a video or a folder of images
    this.panel = byId("panel");
    this.onSeek = () => {};
    this.drawn = "";  // marks of the pictures that are drawn
    this.listed = null;  // events that the table has
    this.listen();
  }

  listen() {
    for (const mark of MARKS) {
      byId(`set-${mark}`).addEventListener("click", () => this.setMark(mark, this.player.index));
      byId(`go-${mark}`).addEventListener("click", () => this.onSeek(this.store.selected[mark]));
      byId(mark).addEventListener("change", event => this.typeMark(mark, event.target.value));
    }
    byId("blink").addEventListener("change", event => this.store.change({ isBlink: event.target.value === "blink" }));
    byId("label").addEventListener("change", event => this.setLabel(event.target.value));
    byId("units").addEventListener("change", event => this.setUnits(event.target.value));
    byId("confirm").addEventListener("click", () => this.store.confirm());
    byId("delete").addEventListener("click", () => this.remove());
    byId("undo").addEventListener("click", () => this.store.undo());
    byId("redo").addEventListener("click", () => this.store.redo());
    byId("add").addEventListener("click", () => this.add());
    byId("event-form").addEventListener("submit", event => event.preventDefault());
  }

  // Move one mark to a frame. One that would be passed by moves along, so that the order stays.
  setMark(mark, index) {
    const { selected } = this.store;
    if (!selected) return;
    const marks = { onset: selected.onset, apex: selected.apex, offset: selected.offset, [mark]: index };
    const place = MARKS.indexOf(mark);
    MARKS.forEach((other, i) => {
      if (i < place) marks[other] = Math.min(marks[other], index);
      if (i > place) marks[other] = Math.max(marks[other], index);
    });
    const moved = MARKS.filter(other => other !== mark && marks[other] !== selected[other]);
    this.store.change(marks);
    this.fill();
    announce(`${mark} set to frame ${this.frames.numbers[index]}` + (moved.length ? `; ${moved.join(" and ")} moved along` : ""));
  }

  typeMark(mark, text) {
    const number = Number(text);
    const { numbers, last } = this.frames;
    const isFrame = text.trim() !== "" && Number.isInteger(number) && number >= numbers[0] && number <= numbers[last];
    if (!isFrame) {
      refuse(mark, `Frames are whole numbers from ${numbers[0]} to ${numbers[last]}.`);
      return;
    }
    this.setMark(mark, this.frames.withNumber(number));
  }

  // A semicolon separates the parts of an event in ELAN. A label that a person typed has no score.
  setLabel(text) {
    const label = text.replaceAll(/[;\r\n]+/g, ",").trim();
    const found = this.store.found.find(event => event.id === this.store.selectedId);
    this.store.change({ label, score: found && found.label === label ? found.score : null });
  }

  setUnits(text) {
    const found = this.store.found.find(event => event.id === this.store.selectedId);
    const units = parseUnits(text, found ? found.units : [], this.data.facs);
    if (units === null) {
      refuse("units", "Write action units as 4+7+L10: numbers of FACS, and L or R before a unit of one side.");
      return;
    }
    this.store.change({ units });
    this.fill();
  }

  remove() {
    if (!this.store.selected) return;
    this.store.remove();
    announce("Event deleted. Undo brings it back.");
  }

  // Add an event around the frame that is shown.
  add() {
    const { frames, player } = this;
    const half = Math.max(1, Math.round(0.1 / frames.period));
    const ids = this.store.events.map(event => event.id);
    this.store.add({
      id: Math.max(0, ...ids, ...this.store.found.map(event => event.id)) + 1,
      onset: Math.max(0, player.index - half), apex: player.index, offset: Math.min(frames.last, player.index + half),
      isBlink: false, label: "", score: null, emotions: {}, units: [], regions: [], strength: 0, reason: "",
      status: "added", maps: null,
    });
    announce("Event added around this frame. Set its onset, apex and offset: keys 1, 2, 3.");
  }

  refresh() {
    this.listEvents();
    this.fill();
    const { past, future } = this.store;
    byId("undo").disabled = !past.length;
    byId("redo").disabled = !future.length;
  }

  // The rows are made anew only if an event has changed.
  listEvents() {
    const { events, selectedId } = this.store;
    if (this.listed !== events) {
      this.listed = events;
      byId("events-body").replaceChildren(...events.map((event, place) => this.row(event, place)));
      byId("no-events").hidden = events.length > 0;
      byId("events-table").hidden = events.length === 0;
    }
    byId("events-body").querySelector("[aria-current]")?.removeAttribute("aria-current");
    const selected = events.findIndex(event => event.id === selectedId);
    if (selected >= 0) byId("events-body").rows[selected].setAttribute("aria-current", "true");
  }

  row(event, place) {
    const { frames } = this;
    const kind = this.store.kind(event);
    const onset = frames.times[event.onset];
    const name = `Event ${place + 1}: ${kind} ${event.label} at ${timeText(onset)}`;
    const button = make("button", { type: "button", className: "as-link" }, timeText(onset));
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => this.onSelect(event));
    const score = event.label && event.score ? ` ${event.score.toFixed(2)}` : "";
    const cells = {
      length: `${(frames.times[event.offset] - onset).toFixed(2)} s`,
      kind,
      label: event.label + score,
      "action units": unitsText(event.units),
      regions: regionsText(event.regions),
      state: STATUS_MARKS[event.status] + STATUS_TEXTS[event.status],
    };
    const columns = Object.entries(cells).map(([column, text]) => make("td", { "data-label": column }, text));
    return make("tr", {}, make("th", { scope: "row" }, button), ...columns);
  }

  // Write the selected event into the form.
  fill() {
    const { selected } = this.store;
    byId("event-panel").hidden = selected === null;
    byId("nothing-selected").hidden = selected !== null;
    if (!selected) return;
    const kind = this.store.kind(selected);
    const length = this.frames.times[selected.offset] - this.frames.times[selected.onset];
    byId("panel-title").textContent = `Event ${this.store.position + 1} of ${this.store.events.length}: ${kind}, ${length.toFixed(2)} s`;
    const moving = selected.regions.length ? `moving: ${regionsText(selected.regions)}` : "";
    byId("panel-status").textContent = [STATUS_TEXTS[selected.status], moving, selected.reason].filter(Boolean).join(" · ");
    for (const mark of MARKS) {
      accept(mark);
      byId(mark).value = this.frames.numbers[selected[mark]];
      byId(`${mark}-time`).textContent = `${this.frames.times[selected[mark]].toFixed(3)} s`;
    }
    byId("blink").value = selected.isBlink ? "blink" : "expression";
    byId("label").value = selected.label;
    byId("units").value = unitsText(selected.units);
    accept("units");
    byId("confirm").disabled = selected.status !== "found";
    this.listScores(selected);
    this.drawPictures(selected);
  }

  listScores(event) {
    const rows = Object.entries(event.emotions).map(([name, score]) => scoreRow(name, score, this.data.colours[name]));
    byId("scores").replaceChildren(...rows);
    byId("scores-part").hidden = !rows.length;
    const units = event.units.map(unit => {
      const side = unit.side === "both" ? "both sides" : unit.side;
      const name = [`AU ${unit.unit}`, this.data.facs.names[unit.unit], side].filter(Boolean).join(", ");
      return scoreRow(name, unit.score, null);
    });
    byId("unit-scores").replaceChildren(...units);
    byId("units-part").hidden = !units.length;
  }

  // Draw the pictures again only if the event, its marks or the size have changed.
  drawPictures(event) {
    const size = this.panel.clientWidth;
    const state = [event.id, event.onset, event.apex, size].join();
    if (state === this.drawn) return;
    this.drawn = state;
    this.pictures?.drawFaces([[byId("face-onset"), event.onset], [byId("face-apex"), event.apex]]);
    byId("movement-part").hidden = event.maps === null;
    byId("response-part").hidden = !event.maps?.response;
    if (!event.maps) return;
    const face = { ...this.data.face, lines: this.data.face.map_lines ?? this.data.face.lines };
    const maps = { ...event.maps, cells: this.data.movement_cells, response_cells: this.data.response_cells };
    const longest = drawMovement(byId("movement"), maps, face);
    byId("movement-text").textContent = `how the skin moved; longest arrow ${longest.toFixed(1)} px`;
    if (maps.response) drawResponse(byId("response"), maps, face);
  }

  redrawPictures() {
    this.drawn = "";
    if (this.store.selected) this.drawPictures(this.store.selected);
  }
}

// Regions in words, with those of both sides as one.
function regionsText(regions) {
  const names = regions.map(region => {
    const [, side, name] = /^(?:(left|right) )?(.*)$/.exec(region);
    const other = { left: "right", right: "left" }[side];
    if (!other || !regions.includes(`${other} ${name}`)) return region;
    return name.endsWith("s") ? name : `${name}s`;
  });
  const isWhole = names.includes("brows");
  return [...new Set(names)].filter(name => !(isWhole && name === "middle brow")).join(", ");
}

function scoreRow(name, score, colour) {
  if (score === null) return make("li", {}, make("span", {}, name), make("span"), make("span", { className: "number" }, "–"));
  const bar = make("span", { className: "bar" });
  bar.style.setProperty("--share", `${100 * score}%`);
  if (colour) bar.style.setProperty("--colour", colour);
  return make("li", {}, make("span", {}, name), bar, make("span", { className: "number" }, score.toFixed(2)));
}
