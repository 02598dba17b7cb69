// The timeline: events, curves of the regions, what could not be judged, and the play head. Two canvases lie on
// each other, so that a moving play head does not draw the curves again.

const ROW = { axis: 20, events: 48, reason: 18, lane: 30, gap: 4 };
const SIDE_DASHES = { left: [], right: [4, 2], "": [1, 2] };
const FULL_SCALE_PX = 2;  // of a lane, unless the curves in view are larger

// Regions that share a lane: "left brow", "middle brow" and "right brow".
const LANES = [
  ["brows", /brow$/], ["lids", /lids$/], ["nose", /nose wing$/], ["cheeks", /cheek$/],
  ["mouth", /^(left |right )?(mouth corner|lips)$/], ["chin", /^chin$/],
];

function sideOf(region) {
  const match = /^(left|right) /.exec(region);
  return match ? match[1] : "";
}

// The part of the recording that is in view.
class View {
  constructor(duration) {
    this.duration = duration;
    this.start = 0;
    this.end = duration;
    this.shortest = Math.min(duration, 0.2);
  }

  get length() { return this.end - this.start; }

  setRange(start, length) {
    const kept = clamp(length, this.shortest, this.duration);
    this.start = clamp(start, 0, this.duration - kept);
    this.end = this.start + kept;
  }

  // Zoom so that a time stays where it is.
  zoom(factor, seconds) {
    const share = (seconds - this.start) / this.length;
    const length = clamp(this.length * factor, this.shortest, this.duration);
    this.setRange(seconds - share * length, length);
  }

  // Bring a time into view, with some of what comes after it.
  include(seconds) {
    if (seconds >= this.start && seconds <= this.end) return false;
    this.setRange(seconds - 0.1 * this.length, this.length);
    return true;
  }
}

class Timeline {
  constructor(page) {
    Object.assign(this, page);  // data, frames, motion, store
    this.box = byId("timeline");
    this.canvas = byId("timeline-curves");
    this.head = byId("timeline-head");
    this.overview = byId("overview");
    this.view = new View(this.frames.duration);
    this.lanes = this.motion ? lanesOf(this.motion.regions) : [];
    this.unjudged = this.motion ? samplesIn(this.motion.times, this.data.unjudged) : [];
    this.index = 0;
    this.onSeek = () => {};
    this.onSelect = () => {};
    this.listen();
  }

  get lanesTop() { return ROW.axis + ROW.events; }

  get height() { return this.lanesTop + this.lanes.length * ROW.lane + ROW.gap + ROW.reason; }

  x(seconds) { return (seconds - this.view.start) / this.view.length * this.width; }

  secondsAt(x) { return this.view.start + x / this.width * this.view.length; }

  resize() {
    this.width = this.box.clientWidth;
    this.box.style.height = `${this.height}px`;
    for (const canvas of [this.canvas, this.head]) fitCanvas(canvas, this.width, this.height);
    fitCanvas(this.overview, this.overview.clientWidth, 22);
    this.draw();
  }

  draw() {
    this.theme = readTheme();
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.width, this.height);
    this.drawUnjudged(context);
    this.drawSelection(context);
    this.drawAxis(context);
    this.lanes.forEach((lane, row) => this.drawLane(context, lane, this.lanesTop + row * ROW.lane));
    this.drawEvents(context);
    this.drawOverview();
    this.drawHead();
  }

  drawAxis(context) {
    const step = tickStep(this.view.length, this.width / 80);
    context.fillStyle = context.strokeStyle = this.theme.muted;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "left";
    context.textBaseline = "top";
    context.lineWidth = 1;
    for (let n = Math.ceil(this.view.start / step); n * step <= this.view.end; n++) {
      const x = Math.round(this.x(n * step)) + 0.5;
      strokeLine(context, x, 0, x, ROW.axis - 4);
      context.fillText(tickText(n * step, step), x + 3, 1);
    }
  }

  drawUnjudged(context) {
    const top = ROW.axis, bottom = this.height;
    let free = 0;  // x from which there is room for the next reason
    for (const stretch of this.data.unjudged) {
      const left = this.x(stretch.start_s), right = this.x(stretch.end_s);
      if (right < 0 || left > this.width) continue;
      const width = Math.max(right - left, 1);
      context.fillStyle = hatching(context, this.theme.rule);
      context.fillRect(left, top, width, bottom - top);
      const [start, room] = [Math.max(left + 3, 3), right - Math.max(left, 0) - 6];
      if (room > 24 && start > free) free = drawReason(context, stretch.reason, start, bottom - 4, room, this.theme);
    }
  }

  drawSelection(context) {
    const { selected } = this.store;
    if (!selected) return;
    const [left, right] = [selected.onset, selected.offset].map(index => this.x(this.frames.times[index]));
    context.fillStyle = this.theme.selection;
    context.fillRect(left, ROW.axis, Math.max(right - left, 2), this.height - ROW.axis - ROW.reason);
  }

  drawLane(context, lane, top) {
    const { theme } = this;
    const bottom = top + ROW.lane - 3;
    context.strokeStyle = theme.rule;
    context.lineWidth = 1;
    context.setLineDash([]);
    strokeLine(context, 0, bottom + 0.5, this.width, bottom + 0.5);
    const scale = this.scaleOf(lane);
    for (const region of lane.regions) {
      context.strokeStyle = theme.ink;
      context.lineWidth = 1.2;
      context.setLineDash(SIDE_DASHES[region.side]);
      this.strokeCurve(context, region.column, bottom, (ROW.lane - 6) / scale);
    }
    context.setLineDash([]);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "top";
    labelOn(context, lane.name, 4, top + 1, theme);
    context.textAlign = "right";
    labelOn(context, `${shortNumber(scale)} px`, this.width - 4, top + 1, theme);
    context.textAlign = "left";
  }

  // Pixels of skin at the top of a lane: as far as skin moves where it can be judged, so that a turning head does
  // not flatten everything else. All lanes have the same unit where movements are small.
  scaleOf(lane) {
    const [first, last] = this.samplesInView();
    let largest = FULL_SCALE_PX;
    for (let sample = first; sample <= last; sample++) {
      if (this.unjudged[sample]) continue;
      for (const region of lane.regions) largest = Math.max(largest, this.motion.valuePx(sample, region.column));
    }
    return Math.ceil(largest);
  }

  samplesInView() {
    const { times } = this.motion;
    if (!times.length) return [0, -1];
    return [lastNotAfter(times, this.view.start), Math.min(lastNotAfter(times, this.view.end) + 1, times.length - 1)];
  }

  // Draw a curve with its largest value in each column of pixels, so that long recordings are as fast as short ones.
  strokeCurve(context, column, bottom, perPx) {
    const [first, last] = this.samplesInView();
    const { motion } = this;
    let x = -1, peak = 0, isOpen = false;
    const put = () => {
      const y = Math.max(bottom - peak * perPx, bottom - ROW.lane + 5);
      if (isOpen) context.lineTo(x, y); else context.moveTo(x, y);
      isOpen = true;
    };
    context.beginPath();
    for (let sample = first; sample <= last; sample++) {
      const at = Math.round(2 * this.x(motion.times[sample])) / 2;
      const value = motion.valuePx(sample, column);
      const isBreak = sample > first && motion.breaksBefore(sample);
      if (at === x && !isBreak) {
        peak = Math.max(peak, value);
        continue;
      }
      if (sample > first) put();
      if (isBreak) isOpen = false;
      [x, peak] = [at, value];
    }
    if (last >= first) put();
    context.stroke();
  }

  drawEvents(context) {
    const ends = [0, 0];  // x at which each line of labels is free again
    for (const event of this.store.events) {
      const [left, right] = [event.onset, event.offset].map(index => this.x(this.frames.times[index]));
      if (right < -200 || left > this.width) continue;
      const width = Math.max(right - left, 3);
      const isSelected = event.id === this.store.selectedId;
      drawBlock(context, left, ROW.axis + 2, width, 14, this.lookOf(event), isSelected, this.theme);
      this.drawApex(context, event);
      const text = eventLabel(event, this.store.kind(event));
      placeLabel(context, text, Math.max(left, 2), ROW.axis + 20, ends, isSelected, this.theme);
    }
  }

  drawApex(context, event) {
    const x = this.x(this.frames.times[event.apex]);
    context.fillStyle = this.theme.paper;
    context.fillRect(x - 0.75, ROW.axis + 4, 1.5, 10);
  }

  lookOf(event) {
    return { kind: this.store.kind(event), colour: this.data.colours[event.label] ?? this.theme.muted };
  }

  drawOverview() {
    const context = this.overview.getContext("2d");
    const width = this.overview.clientWidth, height = 22;
    const x = seconds => seconds / this.view.duration * width;
    context.clearRect(0, 0, width, height);
    context.fillStyle = hatching(context, this.theme.muted);
    for (const { start_s, end_s } of this.data.unjudged) {
      context.fillRect(x(start_s), 4, Math.max(x(end_s) - x(start_s), 1), height - 8);
    }
    for (const event of this.store.events) {
      const [start, end] = [event.onset, event.offset].map(index => x(this.frames.times[index]));
      drawBlock(context, start, 6, Math.max(end - start, 2), height - 12, this.lookOf(event), false, this.theme);
    }
    context.strokeStyle = this.theme.ink;
    context.lineWidth = 1.5;
    context.strokeRect(x(this.view.start) + 1, 1, Math.max(x(this.view.length) - 2, 4), height - 2);
  }

  drawHead() {
    const context = this.head.getContext("2d");
    context.clearRect(0, 0, this.width, this.height);
    const x = this.x(this.frames.times[this.index]);
    context.fillStyle = this.theme.accent;
    context.fillRect(x - 1, 0, 2, this.height);
    context.beginPath();
    context.moveTo(x - 6, 0);
    context.lineTo(x + 6, 0);
    context.lineTo(x, 8);
    context.fill();
  }

  setIndex(index) {
    this.index = index;
    if (this.view.include(this.frames.times[index])) this.draw(); else this.drawHead();
  }

  zoom(factor, seconds = this.frames.times[this.index]) {
    this.view.zoom(factor, clamp(seconds, this.view.start, this.view.end));
    this.draw();
  }

  fit() {
    this.view.setRange(0, this.view.duration);
    this.draw();
  }

  // Show an event with what is around it, where it would be too small to be seen.
  reveal(event) {
    const [onset, offset] = [this.frames.times[event.onset], this.frames.times[event.offset]];
    const isSmall = this.x(offset) - this.x(onset) < 24;
    const isInside = onset >= this.view.start && offset <= this.view.end;
    if (isSmall || !isInside) {
      const length = clamp(20 * (offset - onset), 4, Math.max(this.view.length, 4));
      this.view.setRange((onset + offset - length) / 2, length);
    }
    this.draw();
  }

  listen() {
    const { box } = this;
    const pointers = new Map();
    box.addEventListener("pointerdown", event => this.press(event, pointers));
    box.addEventListener("pointermove", event => this.drag(event, pointers));
    for (const name of ["pointerup", "pointercancel"]) {
      box.addEventListener(name, event => pointers.delete(event.pointerId));
    }
    box.addEventListener("wheel", event => this.wheel(event), { passive: false });
    const pan = event => {
      const share = (event.clientX - this.overview.getBoundingClientRect().left) / this.overview.clientWidth;
      this.view.setRange(share * this.view.duration - this.view.length / 2, this.view.length);
      this.draw();
    };
    this.overview.addEventListener("pointerdown", event => {
      this.overview.setPointerCapture(event.pointerId);
      pan(event);
    });
    this.overview.addEventListener("pointermove", event => { if (event.buttons) pan(event); });
  }

  xOf(event) { return event.clientX - this.box.getBoundingClientRect().left; }

  // One pointer seeks, on an event it also selects it; two pointers zoom.
  press(event, pointers) {
    if (event.button !== 0) return;
    this.box.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, this.xOf(event));
    if (pointers.size > 1) return;
    const hit = this.eventAt(this.xOf(event), event.clientY - this.box.getBoundingClientRect().top);
    if (hit) this.onSelect(hit); else this.seekTo(this.xOf(event));
  }

  seekTo(x) {
    this.onSeek(this.frames.atTime(this.secondsAt(clamp(x, 0, this.width))));
  }

  drag(event, pointers) {
    if (!pointers.has(event.pointerId)) return;
    const x = this.xOf(event);
    if (pointers.size === 1 && Math.abs(x - pointers.get(event.pointerId)) >= 1) this.seekTo(x);
    if (pointers.size === 2) this.pinch(event.pointerId, x, pointers);
    pointers.set(event.pointerId, x);
  }

  pinch(id, x, pointers) {
    const [other] = [...pointers].filter(([key]) => key !== id).map(([, value]) => value);
    const before = Math.abs(pointers.get(id) - other), after = Math.abs(x - other);
    if (before > 10 && after > 10) this.zoom(before / after, this.secondsAt((x + other) / 2));
  }

  // Plain scrolling scrolls the page. With Ctrl, as touchpads report pinching, it zooms; sideways it pans.
  wheel(event) {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      this.zoom(Math.exp(event.deltaY / 300), this.secondsAt(this.xOf(event)));
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      this.view.setRange(this.view.start + sideways / this.width * this.view.length, this.view.length);
      this.draw();
    } else {
      return;
    }
    event.preventDefault();
  }

  eventAt(x, y) {
    if (y < ROW.axis || y > ROW.axis + ROW.events) return null;
    const near = this.store.events.filter(event => {
      const [left, right] = [event.onset, event.offset].map(index => this.x(this.frames.times[index]));
      return x >= left - 5 && x <= right + 5;
    });
    return near.at(-1) ?? null;
  }
}

// Which times lie in one of some stretches.
function samplesIn(times, stretches) {
  const inside = new Uint8Array(times.length);
  for (const { start_s, end_s } of stretches) {
    for (let i = lastNotAfter(times, start_s); i < times.length && times[i] <= end_s; i++) inside[i] = 1;
  }
  return inside;
}

function lanesOf(regions) {
  return LANES.map(([name, pattern]) => ({
    name,
    regions: regions
      .map((region, column) => ({ region, column, side: sideOf(region) }))
      .filter(({ region }) => pattern.test(region)),
  }));
}

// Give a canvas the resolution of the screen.
function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
}

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "ink", "muted", "rule", "accent", "selection"];
  return Object.fromEntries(names.map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function tickStep(length, most) {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
  return steps.find(step => length / step <= most) ?? 7200;
}

function tickText(seconds, step) {
  const text = timeText(seconds);
  return step >= 1 ? text.slice(0, -3) : text;
}

function strokeLine(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function labelOn(context, text, x, y, theme) {
  context.lineWidth = 3;
  context.strokeStyle = theme.paper;
  context.strokeText(text, x, y);
  context.fillStyle = theme.muted;
  context.fillText(text, x, y);
}

function hatching(context, colour) {
  return stripes(context, 8, colour, "transparent", 1.2);
}

function stripes(context, size, colour, ground, lineWidth) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colour;
  pen.lineWidth = lineWidth;
  for (const shift of [-size, 0, size]) strokeLine(pen, shift, size, shift + size, 0);
  return context.createPattern(tile, "repeat");
}

// Micro-expressions are filled, longer ones striped, blinks an outline: kinds differ without colour too.
function drawBlock(context, x, y, width, height, look, isSelected, theme) {
  context.fillStyle = look.kind === "macro" ? stripes(context, 6, theme.paper, look.colour, 1.5) : look.colour;
  if (look.kind === "blink") context.fillStyle = theme.paper;
  context.fillRect(x, y, width, height);
  context.setLineDash([]);
  context.lineWidth = isSelected ? 2.5 : 1;
  context.strokeStyle = isSelected ? theme.accent : look.colour;
  context.strokeRect(x, y, width, height);
}

const STATUS_MARKS = { found: "", confirmed: "✓ ", changed: "✎ ", added: "+ " };

function eventLabel(event, kind) {
  const score = event.score && event.label ? ` ${event.score.toFixed(2)}` : "";
  return STATUS_MARKS[event.status] + (event.label ? event.label + score : kind);
}

// Write a label in the first of two lines that is free there; the label of the selected event always has room.
function placeLabel(context, text, x, y, ends, isSelected, theme) {
  context.font = `${isSelected ? "600 " : ""}12px system-ui, sans-serif`;
  context.textBaseline = "top";
  context.textAlign = "left";
  const width = context.measureText(text).width;
  const line = ends.findIndex(end => end <= x);
  if (line < 0 && !isSelected) return;
  const row = Math.max(line, 0);
  context.lineWidth = 3;
  context.strokeStyle = theme.paper;
  context.strokeText(text, x, y + 13 * row);
  context.fillStyle = theme.ink;
  context.fillText(text, x, y + 13 * row);
  ends[row] = x + width + 8;
}

// Write a reason, cut off where its stretch ends. Return the x at which it ends.
function drawReason(context, reason, x, y, room, theme) {
  context.save();
  context.beginPath();
  context.rect(x - 3, y - 20, room + 3, 24);
  context.clip();
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "bottom";
  context.textAlign = "left";
  labelOn(context, reason, x, y, theme);
  context.restore();
  return x + Math.min(room, context.measureText(reason).width);
}
