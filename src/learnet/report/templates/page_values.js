// Values of the page: what learnet wrote into it as JSON, decoded into typed arrays.

// Numbers are little-endian, as almost all devices store them.
function decodeBytes(base64) {
  return Uint8Array.from(atob(base64), character => character.charCodeAt(0));
}

function decodeNumbers(base64, ArrayType) {
  return new ArrayType(decodeBytes(base64).buffer);
}

// Times in seconds: evenly spaced ones are told by their period, others by their steps in microseconds.
function decodeTimes(encoded) {
  const times = new Float64Array(encoded.count);
  if (encoded.steps === null) {
    for (let i = 0; i < times.length; i++) times[i] = (encoded.start_us + i * encoded.period_us) / 1e6;
    return times;
  }
  const steps = decodeNumbers(encoded.steps, encoded.bytes === 2 ? Uint16Array : Uint32Array);
  let now = encoded.start_us;
  for (let i = 0; i < times.length; i++) {
    if (i > 0) now += steps[i - 1];
    times[i] = now / 1e6;
  }
  return times;
}

// Frame numbers: consecutive ones are told by the first.
function decodeFrameNumbers(frames) {
  if (frames.numbers !== null) return decodeNumbers(frames.numbers, Uint32Array);
  return Uint32Array.from({ length: frames.times.count }, (_, i) => frames.first + i);
}

// Index of the last value that is not larger; 0 if all are.
function lastNotAfter(sorted, value) {
  let low = 0, high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
}

function nearestIndex(sorted, value) {
  const below = lastNotAfter(sorted, value);
  const isNext = below + 1 < sorted.length && sorted[below + 1] - value < value - sorted[below];
  return isNext ? below + 1 : below;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// The frames of the recording: their numbers, their times for people, and their times for the player.
class FrameTable {
  constructor(frames) {
    this.numbers = decodeFrameNumbers(frames);
    this.times = decodeTimes(frames.times);
    this.media = frames.media === null ? this.times : decodeTimes(frames.media);
    const steps = this.times.length - 1;
    this.period = steps > 0 ? (this.times[steps] - this.times[0]) / steps : 1 / frames.fps;
  }

  get last() { return this.times.length - 1; }

  get duration() { return this.times[this.last] + this.period; }

  // Frame that is on the screen at a time.
  atTime(seconds) { return lastNotAfter(this.times, seconds); }

  withNumber(number) { return nearestIndex(this.numbers, number); }

  // Frame that has a time stamp, whatever the rounding of the player.
  withMediaTime(seconds) { return nearestIndex(this.media, seconds); }

  // The middle of the time for which a frame is displayed: a seek to its very beginning may show the one before.
  middleForPlayer(index) {
    const start = this.media[index];
    const end = index < this.last ? this.media[index + 1] : start + this.period;
    return (start + end) / 2;
  }
}

// Curves of the regions and the position of the eyes, at times at which there is a face.
class MotionTable {
  constructor(motion) {
    this.regions = motion.regions;
    this.times = decodeTimes(motion.times);
    this.stepPx = motion.step_px;
    this.values = decodeBytes(motion.values);  // of all regions at the first time, then at the second
    this.eyes = decodeNumbers(motion.eyes, Int16Array);
    this.eyesStep = motion.eyes_step_px;
    this.breaks = new Set(motion.breaks);
    this.maxGap = motion.max_gap_s;
  }

  get count() { return this.times.length; }

  valuePx(sample, region) { return this.values[sample * this.regions.length + region] * this.stepPx; }

  // Whether the curves have a gap before a sample.
  breaksBefore(sample) {
    return this.breaks.has(sample) || this.times[sample] - this.times[sample - 1] > this.maxGap;
  }

  nearest(seconds) {
    if (!this.count) return -1;
    const sample = nearestIndex(this.times, seconds);
    return Math.abs(this.times[sample] - seconds) <= this.maxGap ? sample : -1;
  }

  // Both eyes in pixels of the frame, [[x, y], [x, y]]; null where there is no face.
  eyesAt(seconds) {
    const sample = this.nearest(seconds);
    if (sample < 0) return null;
    const [x0, y0, x1, y1] = this.eyes.subarray(4 * sample, 4 * sample + 4);
    return [[x0 * this.eyesStep, y0 * this.eyesStep], [x1 * this.eyesStep, y1 * this.eyesStep]];
  }
}

function timeText(seconds) {
  const hundredths = Math.round(seconds * 100);
  const minutes = Math.floor(hundredths / 6000);
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

// An element with properties and children; text is never read as HTML.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children.filter(child => child !== null && child !== ""));
  return element;
}

function byId(id) { return document.getElementById(id); }

// Say beside a field why its entry is refused. The text stays until `accept` takes it away.
function refuse(field, text) {
  const place = byId(`${field}-refused`);
  place.textContent = text;
  byId(field).setAttribute("aria-invalid", "true");
  for (const part of [byId(field), place]) part.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function accept(field) {
  byId(`${field}-refused`).textContent = "";
  byId(field).removeAttribute("aria-invalid");
}

// Say something to everybody: on the screen, and to a screen reader.
function announce(text) { byId("message").textContent = text; }
