// The face: its box and the moving regions over the picture, at onset and apex of an event, and the average
// face with what moved, which shows nobody.

const FACE_ZOOM = 1.25;  // of the pictures at onset and apex, in widths of the face crop of learnet
const FAINTEST_RESPONSE = 10;  // of 127; fainter ones are not drawn
const SHORTEST_ARROW = 0.15;  // of the longest one; shorter ones are mostly noise

// The face crop of learnet in a frame: its centre between the eyes, its axes and its side.
function faceFrame([[x0, y0], [x1, y1]], face) {
  const distance = Math.hypot(x1 - x0, y1 - y0);
  const right = [(x1 - x0) / distance, (y1 - y0) / distance];
  const down = [-right[1], right[0]];
  const side = distance / (face.eye_columns[1] - face.eye_columns[0]);
  const at = (u, v) => {  // in distances of the eyes, from the point between them
    const [a, b] = [u * distance, v * distance];
    return [(x0 + x1) / 2 + a * right[0] + b * down[0], (y0 + y1) / 2 + a * right[1] + b * down[1]];
  };
  return { distance, right, down, side, at };
}

function faceCorners(eyes, face) {
  const { at } = faceFrame(eyes, face);
  const width = 1 / (face.eye_columns[1] - face.eye_columns[0]);
  const [top, bottom] = [-face.eye_row * width, (1 - face.eye_row) * width];
  return [at(-width / 2, top), at(width / 2, top), at(width / 2, bottom), at(-width / 2, bottom)];
}

// Draws over the picture.
class Overlay {
  constructor(page, canvas, picture) {
    Object.assign(this, page);
    this.canvas = canvas;
    this.picture = picture;
    this.isOn = true;
  }

  draw(index) {
    const { video, face } = this.data;
    const width = this.picture.clientWidth, height = this.picture.clientHeight;
    fitCanvas(this.canvas, width, height);
    const context = this.canvas.getContext("2d");
    const eyes = this.motion?.eyesAt(this.frames.times[index]);
    if (!this.isOn || !eyes) return;
    context.scale(width / video.width, height / video.height);
    const thin = video.width / width;  // one pixel of the screen
    strokeTwice(context, faceCorners(eyes, face), thin);
    const event = this.store.events.find(each => each.onset <= index && index <= each.offset);
    if (event) this.drawRegions(context, eyes, event, thin);
  }

  drawRegions(context, eyes, event, thin) {
    const { at, distance } = faceFrame(eyes, this.data.face);
    for (const patch of this.data.face.patches) {
      if (!event.regions.includes(patch.region)) continue;
      const [x, y] = at(patch.x, patch.y);
      ring(context, x, y, 0.11 * distance, thin);
    }
  }
}

// Lines that are seen on any picture: light on dark.
function strokeTwice(context, corners, thin) {
  for (const [colour, width] of [["#000a", 4 * thin], ["#ffd23f", 2 * thin]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [x, y] of corners) context.lineTo(x, y);
    context.closePath();
    context.stroke();
  }
}

function ring(context, x, y, radius, thin) {
  for (const [colour, width] of [["#000a", 5 * thin], ["#5ce1ff", 2.5 * thin]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}

// Pictures of single frames, from a second copy of the video, so that the player stays where it is.
class FramePictures {
  constructor(page) {
    Object.assign(this, page);
    this.queue = Promise.resolve();
    this.video = null;
    this.request = 0;
  }

  useVideo(address) {
    this.video = make("video", { muted: true, preload: "auto", playsInline: true, className: "unseen" });
    this.video.setAttribute("aria-hidden", "true");
    byId("second-video").replaceChildren(this.video);
    this.seeker = new FrameSeeker(this.video, this.frames);
    this.ready = new Promise((resolve, reject) => {
      this.video.addEventListener("loadeddata", resolve, { once: true });
      this.video.addEventListener("error", reject, { once: true });
    });
    this.ready.catch(() => {});
    this.seeker.follow();
    this.video.src = address;
  }

  useImages(names) { this.names = names; }

  // Draw the faces of some frames, [canvas, index] each. A later request replaces an earlier one.
  drawFaces(wanted) {
    const request = ++this.request;
    this.queue = this.queue.then(async () => {
      for (const [canvas, index] of wanted) {
        if (request !== this.request) return;
        const picture = await this.pictureOf(index).catch(() => null);
        if (picture) this.drawFace(canvas, picture, index);
      }
    });
    return this.queue;
  }

  async pictureOf(index) {
    if (this.video) {
      await this.ready;
      const shown = await this.seeker.seek(index);
      return shown === index ? this.video : null;
    }
    const image = new Image();
    image.src = this.names.at(index);
    await image.decode();
    return image;
  }

  // Turn the face upright and cut it out; without a known face show the whole frame.
  drawFace(canvas, picture, index) {
    const side = canvas.clientWidth || 160;
    fitCanvas(canvas, side, side);
    const context = canvas.getContext("2d");
    const eyes = this.motion?.eyesAt(this.frames.times[index]);
    const { width, height } = this.data.video;
    context.save();
    if (eyes) {
      const { right, down, side: crop, distance } = faceFrame(eyes, this.data.face);
      const scale = side / (FACE_ZOOM * crop);
      const [x, y] = faceFrame(eyes, this.data.face).at(0, 0.23 * crop / distance);
      context.transform(scale * right[0], scale * down[0], scale * right[1], scale * down[1], side / 2, side / 2);
      context.translate(-x, -y);
    } else {
      context.scale(side / width, side / height);
    }
    context.drawImage(picture, 0, 0, width, height);
    context.restore();
    canvas.dataset.frame = this.frames.numbers[index];
  }
}

// The average face as lines, in a square.
function drawAverageFace(context, side, face, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.lineCap = "round";
  for (const line of face.lines) {
    context.beginPath();
    for (const [x, y] of line) context.lineTo(x * side, y * side);
    context.stroke();
  }
}

// How the skin moved from onset to apex: arrows over the average face, enlarged. Return the longest in pixels.
function drawMovement(canvas, maps, face) {
  const side = canvas.clientWidth || 160;
  fitCanvas(canvas, side, side);
  const context = canvas.getContext("2d");
  const theme = readTheme();
  drawAverageFace(context, side, face, theme.muted);
  const cells = maps.cells, cell = side / cells;
  const values = decodeNumbers(maps.movement, Int8Array);
  const arrows = [];
  for (let i = 0; i < cells * cells; i++) {
    const x = i % cells + 0.5, y = Math.floor(i / cells) + 0.5;
    const isInFace = Math.hypot((x / cells - face.centre[0]) / face.radii[0], (y / cells - face.centre[1]) / face.radii[1]) <= 1;
    if (isInFace) arrows.push([x * cell, y * cell, values[2 * i], values[2 * i + 1]]);
  }
  const longest = Math.max(...arrows.map(([, , u, v]) => Math.hypot(u, v)), 1e-6);
  const scale = 2.5 * cell / longest;
  context.strokeStyle = context.fillStyle = theme.ink;
  for (const [x, y, u, v] of arrows) {
    if (Math.hypot(u, v) >= SHORTEST_ARROW * longest) drawArrow(context, x, y, u * scale, v * scale);
  }
  return longest * maps.movement_step_px;
}

function drawArrow(context, x, y, u, v) {
  const length = Math.hypot(u, v), head = Math.min(5, 0.5 * length);
  const [du, dv] = [u / length, v / length];
  const [ex, ey] = [x + u, y + v];
  context.lineWidth = 1.3;
  strokeLine(context, x, y, ex - du * head, ey - dv * head);
  context.beginPath();
  context.moveTo(ex, ey);
  context.lineTo(ex - du * head - dv * head * 0.5, ey - dv * head + du * head * 0.5);
  context.lineTo(ex - du * head + dv * head * 0.5, ey - dv * head - du * head * 0.5);
  context.fill();
}

// Where the network's score falls if the motion is hidden there: filled squares; where it rises: outlined ones.
function drawResponse(canvas, maps, face) {
  const side = canvas.clientWidth || 160;
  fitCanvas(canvas, side, side);
  const context = canvas.getContext("2d");
  const theme = readTheme();
  const cells = maps.response_cells, cell = side / cells;
  const values = decodeNumbers(maps.response, Int8Array);
  drawAverageFace(context, side, face, theme.muted);
  values.forEach((value, i) => {
    if (Math.abs(value) < FAINTEST_RESPONSE) return;
    const size = Math.sqrt(Math.abs(value) / 127) * 0.92 * cell;
    const x = (i % cells + 0.5) * cell - size / 2, y = (Math.floor(i / cells) + 0.5) * cell - size / 2;
    context.fillStyle = context.strokeStyle = theme.accent;
    context.globalAlpha = 0.75;
    if (value > 0) context.fillRect(x, y, size, size);
    if (value < 0) context.strokeRect(x, y, size, size);
  });
  context.globalAlpha = 1;
}

// In place of the video, where nobody may be seen: the average face, and which regions move now.
function drawMovingFace(canvas, page, index) {
  const side = Math.min(canvas.clientWidth, canvas.clientHeight);
  fitCanvas(canvas, canvas.clientWidth, side);
  const context = canvas.getContext("2d");
  const theme = readTheme();
  const { face } = page.data;
  context.translate((canvas.clientWidth - side) / 2, 0);
  drawAverageFace(context, side, face, theme.muted);
  const sample = page.motion ? page.motion.nearest(page.frames.times[index]) : -1;
  if (sample < 0) return;
  const width = face.eye_columns[1] - face.eye_columns[0];
  for (const patch of face.patches) {
    const movedPx = page.motion.valuePx(sample, page.motion.regions.indexOf(patch.region));
    context.fillStyle = theme.accent;
    context.globalAlpha = clamp(movedPx / 2, 0.08, 0.9);
    context.beginPath();
    const [x, y] = [0.5 + patch.x * width, face.eye_row + patch.y * width];
    context.arc(x * side, y * side, 0.045 * side, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}
