// Players of pictures: a video file, a folder of images, or none. Each shows one frame at a time, knows which
// one, and tells `onFrame(index)` and `onState(playing)`.

// Put one exact frame of a video on the screen. Players round times and some files have key frames in the way,
// so the time stamp of what is displayed is compared with that of the frame that was wanted.
class FrameSeeker {
  constructor(video, frames) {
    this.video = video;
    this.frames = frames;
    this.offset = 0;  // of the player's clock against the time stamps of the file
    this.shown = -1;
    this.presented = 0;  // frames displayed so far
    this.hasSought = false;
    this.reportsFrames = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    this.onPresented = () => {};
  }

  // Follow which frame is displayed, from the first one on, which tells the player's clock. To be called before
  // the video is loaded.
  follow() {
    this.first = new Promise(resolve => { this.onFirst = resolve; });
    if (!this.reportsFrames) return;
    const next = (now, frame) => {
      if (this.presented === 0 && !this.hasSought) this.calibrate(frame.mediaTime);
      this.presented += 1;
      this.shown = this.frames.withMediaTime(frame.mediaTime - this.offset);
      this.onFirst();
      this.onPresented(this.shown);
      this.video.requestVideoFrameCallback(next);
    };
    this.video.requestVideoFrameCallback(next);
  }

  // Some players count from the first frame, others as the file does.
  calibrate(mediaTime) {
    const offset = mediaTime - this.frames.media[0];
    this.offset = Math.abs(offset) < this.frames.period / 2 ? 0 : offset;
  }

  // Return the index of the frame that is displayed in the end.
  async seek(index) {
    await this.jump(this.frames.middleForPlayer(index));
    if (this.shown !== index) await this.creep(index);
    return this.shown;
  }

  // In some files every seek near a key frame shows what is after it. Then play slowly from further before.
  async creep(index) {
    for (const back of [1, 4, 16, 64]) {
      if (this.shown < index || index - back < 0) break;
      await this.jump(this.frames.middleForPlayer(index - back));
    }
    if (this.shown > index || index - this.shown > 64) return;
    const { playbackRate } = this.video;
    this.video.playbackRate = 0.1;
    const deadline = performance.now() + 3000;
    await this.video.play().catch(() => {});
    while (this.shown < index && performance.now() < deadline) await this.nextPresented(100);
    this.video.pause();
    this.video.playbackRate = playbackRate;
  }

  async jump(seconds) {
    const { video } = this;
    if (this.reportsFrames && !this.hasSought) await Promise.race([this.first, delay(1500)]);
    this.hasSought = true;
    const before = this.presented;
    const seeked = new Promise(resolve => video.addEventListener("seeked", resolve, { once: true }));
    video.currentTime = Math.max(0, seconds + this.offset);
    await Promise.race([seeked, delay(5000)]);
    if (!this.reportsFrames) this.shown = this.frames.withMediaTime(video.currentTime - this.offset);
    // The same frame again is not displayed again: then nothing is reported.
    if (this.reportsFrames && this.presented === before) await this.nextPresented(150);
  }

  nextPresented(milliseconds) {
    const before = this.presented;
    const arrived = async () => { while (this.presented === before) await delay(4); };
    return Promise.race([arrived(), delay(milliseconds)]);
  }
}

function delay(milliseconds) {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

// Plays a video element.
class VideoPlayer {
  constructor(video, frames) {
    this.video = video;
    this.frames = frames;
    this.index = 0;
    this.wanted = null;  // frame of the last request that is not done yet
    this.busy = false;
    this.onFrame = () => {};
    this.onState = () => {};
    this.seeker = new FrameSeeker(video, frames);
    this.seeker.onPresented = index => { if (!this.busy) this.setIndex(index); };
    video.addEventListener("play", () => { if (!this.busy) this.onState(true); });
    video.addEventListener("pause", () => { if (!this.busy) this.onState(false); });
    if (!this.seeker.reportsFrames) video.addEventListener("timeupdate", () => this.readClock());
  }

  get playing() { return !this.video.paused && !this.busy; }

  readClock() {
    if (!this.busy) this.setIndex(lastNotAfter(this.frames.media, this.video.currentTime - this.seeker.offset));
  }

  setIndex(index) {
    this.index = index;
    this.onFrame(index);
  }

  setSpeed(rate) { this.video.playbackRate = rate; }

  play() { this.video.play().catch(error => announce(`The video does not play: ${error.message}`)); }

  pause() { this.video.pause(); }

  // Show a frame. Of several requests that come while the first is being done, only the last counts.
  async show(index) {
    this.pause();
    this.wanted = index;
    this.setIndex(index);
    if (this.busy) return;
    this.setBusy(true);
    while (this.wanted !== null) {
      const wanted = this.wanted;
      this.wanted = null;
      const shown = await this.seeker.seek(wanted);
      if (this.wanted === null) this.report(wanted, shown);
    }
    this.setBusy(false);
  }

  setBusy(busy) {
    this.busy = busy;
    byId("stage").dataset.busy = String(busy);
  }

  report(wanted, shown) {
    const index = shown < 0 ? wanted : shown;
    this.setIndex(index);
    if (index !== wanted) {
      const numbers = this.frames.numbers;
      announce(`This browser shows frame ${numbers[index]} and cannot show frame ${numbers[wanted]} of this file.`);
    }
  }
}

// Plays frames by the clock of the computer: images of a folder, or nothing to be seen.
class TimedPlayer {
  constructor(frames, display = () => {}) {
    this.frames = frames;
    this.display = display;
    this.index = 0;
    this.speed = 1;
    this.playing = false;
    this.onFrame = () => {};
    this.onState = () => {};
  }

  setSpeed(rate) {
    this.speed = rate;
    if (this.playing) this.begin();
  }

  begin() {
    this.startedAt = performance.now();
    this.startedFrom = this.frames.times[this.index];
  }

  play() {
    if (this.index === this.frames.last) this.setIndex(0);
    this.playing = true;
    this.onState(true);
    this.begin();
    requestAnimationFrame(() => this.tick());
  }

  tick() {
    if (!this.playing) return;
    const seconds = this.startedFrom + this.speed * (performance.now() - this.startedAt) / 1000;
    this.setIndex(this.frames.atTime(seconds));
    if (this.index === this.frames.last) this.pause(); else requestAnimationFrame(() => this.tick());
  }

  pause() {
    this.playing = false;
    this.onState(false);
  }

  setIndex(index) {
    this.index = index;
    this.display(index);
    this.onFrame(index);
  }

  async show(index) {
    this.pause();
    this.setIndex(index);
  }
}

// Addresses of the images of a folder. Names that differ in their number only are told by one pattern.
class ImageNames {
  constructor(images, numbers) {
    this.images = images;
    this.numbers = numbers;
  }

  at(index) {
    const { folder, names, prefix, digits, suffix } = this.images;
    if (names !== null) return folder + names[index];
    return folder + prefix + String(this.numbers[index]).padStart(digits, "0") + suffix;
  }
}
