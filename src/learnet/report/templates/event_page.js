// The page: connects the picture, the timeline, the events and the keys.

const page = { data: JSON.parse(byId("page-data").textContent) };
page.frames = new FrameTable(page.data.frames);
page.motion = page.data.motion ? new MotionTable(page.data.motion) : null;
page.store = new EventStore(readEvents(page.data.events), page.frames, page.data.micro_max_s);
page.player = new TimedPlayer(page.frames);
page.overlay = null;

// Frame numbers become positions in the table of frames.
function readEvents(records) {
  return records.map((record, place) => ({
    id: place + 1,
    onset: page.frames.withNumber(record.onset),
    apex: page.frames.withNumber(record.apex),
    offset: page.frames.withNumber(record.offset),
    isBlink: record.is_blink,
    label: record.label,
    score: record.score,
    emotions: record.emotions,
    units: record.action_units,
    regions: record.regions,
    strength: record.strength_px,
    reason: record.reason,
    status: "found",
    maps: record.maps,
  }));
}

const timeline = new Timeline(page);
const editor = new EventEditor(page);
const draft = new Draft(page.data.key);
let drawPicture = () => {};  // over or in place of the video, for a frame

function showFrame(index) {
  const { numbers, times } = page.frames;
  const text = `frame ${numbers[index]} · ${times[index].toFixed(3)} s`;
  byId("frame").textContent = text;
  byId("timeline").setAttribute("aria-valuenow", numbers[index]);
  byId("timeline").setAttribute("aria-valuetext", `frame ${numbers[index]}, ${timeText(times[index])}`);
  timeline.setIndex(index);
  drawPicture(index);
}

function seek(index) {
  return page.player.show(clamp(index, 0, page.frames.last));
}

function selectEvent(event, isRevealed = true) {
  page.store.select(event.id);
  if (isRevealed) timeline.reveal(event);
  seek(event.onset);
}

// The first event after the frame on the screen, or the last one before it.
function neighbourEvent(direction) {
  const { events, selected, position } = page.store;
  const { index } = page.player;
  const later = events.findIndex(event => event.onset > index);
  let next = direction > 0 ? later : events.filter(event => event.onset < index).length - 1;
  // Others can have the same onset.
  if (selected?.onset === index) next = position + direction;
  if (!events[next]) return announce(`There is no event ${direction > 0 ? "after" : "before"} this frame.`);
  selectEvent(events[next]);
  announce(`Event ${next + 1} of ${events.length}: ${eventLabel(events[next], page.store.kind(events[next]))}`);
}

function togglePlay() {
  if (page.player.playing) page.player.pause(); else page.player.play();
}

// A player takes over from another one, at the same frame.
function usePlayer(player) {
  const index = page.player.index;
  page.player.onFrame = page.player.onState = () => {};
  page.player = editor.player = player;
  player.onFrame = showFrame;
  player.onState = playing => {
    byId("play").textContent = playing ? "Pause" : "Play";
    byId("play").setAttribute("aria-pressed", String(playing));
  };
  player.setSpeed(Number(byId("speed").value));
  player.onState(false);
  return seek(index);
}

let loading = new AbortController();  // ends what waits for the video that was chosen before

// Show a video file; tell in one line if the browser cannot.
function useVideo(address, name, isChosen = false) {
  const video = byId("video");
  loading.abort();
  loading = new AbortController();
  const once = { once: true, signal: loading.signal };
  const player = new VideoPlayer(video, page.frames);
  video.addEventListener("error", () => failVideo(name), once);
  video.addEventListener("loadeddata", () => {
    if (!video.videoWidth) return failVideo(name);
    if (isChosen) warnAboutLength(video);
    showVideo(video, player, address);
  }, once);
  player.seeker.follow();
  video.src = address;
}

function showVideo(video, player, address) {
  byId("no-picture").hidden = byId("moving-part").hidden = true;
  byId("picture").hidden = false;
  drawOverPicture(video);
  const pictures = new FramePictures(page);
  pictures.useVideo(address);
  usePictures(pictures);
  usePlayer(player);
}

// Show the faces at onset and apex of the selected event.
function usePictures(pictures) {
  editor.pictures = pictures;
  byId("faces").hidden = false;
  editor.redrawPictures();
}

function failVideo(name) {
  byId("picture").hidden = true;
  byId("no-picture").hidden = false;
  byId("failure").textContent = `This browser cannot show ${name}: it is no longer beside this page, or in a format `
    + "that browsers do not play. Everything else on this page works.";
  useNoPicture();
}

// A file that was chosen by hand may be another one.
function warnAboutLength(video) {
  const expected = page.frames.media[page.frames.last] - page.frames.media[0];
  const isOther = Number.isFinite(video.duration) && video.duration < expected - 0.1 - 2 * page.frames.period;
  const sizeDiffers = Math.abs(video.videoWidth * page.data.video.height - video.videoHeight * page.data.video.width)
    > 0.02 * video.videoWidth * page.data.video.height;
  if (isOther || sizeDiffers) announce("This file is shorter, or of another shape, than the one that was analysed.");
}

function drawOverPicture(picture) {
  page.overlay = new Overlay(page, byId("overlay"), picture);
  page.overlay.isOn = byId("overlay-on").checked;
  drawPicture = index => page.overlay.draw(index);
}

function useImages(images) {
  const names = new ImageNames(images, page.frames.numbers);
  const image = byId("image");
  byId("video").hidden = true;
  byId("sound-option").hidden = true;
  image.hidden = false;
  byId("no-picture").hidden = true;
  image.addEventListener("error", () => failVideo("the images of this folder"), { once: true });
  image.addEventListener("load", () => drawPicture(page.player.index));
  drawOverPicture(image);
  const pictures = new FramePictures(page);
  pictures.useImages(names);
  usePictures(pictures);
  usePlayer(new TimedPlayer(page.frames, index => { image.src = names.at(index); }));
}

// Without a picture the average face shows which regions move.
function useNoPicture() {
  byId("moving-part").hidden = false;
  drawPicture = index => drawMovingFace(byId("moving-face"), page, index);
  usePlayer(new TimedPlayer(page.frames));
}

function startPicture() {
  const { video } = page.data;
  if (video.kind === "file") useVideo(video.address, video.name);
  else if (video.kind === "folder") useImages(video.images);
  else useNoPicture();
}

function coder() { return byId("coder").value.trim(); }

// Events of a person are saved only with a name: without one they would have no source.
function isCoderMissing() {
  return coder() === "" && page.store.events.some(event => event.status !== "found");
}

function exportEvents(suffix, text, type) {
  if (isCoderMissing()) {
    refuse("coder", "Not saved yet: write your name or initials, the source of the events that you confirmed, changed or added.");
    byId("coder").focus();
    return;
  }
  download(`${page.data.video.stem}-corrected.${suffix}`, text, type);
  page.store.markExported();
  announce(`${page.store.events.length} events exported. learnet import-annotations reads the file.`);
}

function listenToButtons() {
  byId("play").addEventListener("click", togglePlay);
  byId("back").addEventListener("click", () => seek(page.player.index - 1));
  byId("forward").addEventListener("click", () => seek(page.player.index + 1));
  byId("previous").addEventListener("click", () => neighbourEvent(-1));
  byId("next").addEventListener("click", () => neighbourEvent(1));
  byId("speed").addEventListener("change", event => page.player.setSpeed(Number(event.target.value)));
  byId("zoom-in").addEventListener("click", () => timeline.zoom(0.5));
  byId("zoom-out").addEventListener("click", () => timeline.zoom(2));
  byId("zoom-fit").addEventListener("click", () => timeline.fit());
  byId("export-csv").addEventListener("click", () =>
    exportEvents("csv", csvText(page.store, page.data.columns, coder()), "text/csv"));
  byId("export-elan").addEventListener("click", () =>
    exportEvents("eaf", elanText(page.store, page.data.video, coder()), "application/xml"));
  byId("coder").addEventListener("input", () => {
    accept("coder");
    keepDraft();
  });
  byId("discard").addEventListener("click", discardDraft);
  byId("overlay-on")?.addEventListener("change", event => {
    page.overlay.isOn = event.target.checked;
    page.overlay.draw(page.player.index);
  });
  byId("sound")?.addEventListener("change", event => { byId("video").muted = !event.target.checked; });
  byId("file")?.addEventListener("change", event => {
    const [file] = event.target.files;
    if (file) useVideo(URL.createObjectURL(file), file.name, true);
  });
  for (const button of document.querySelectorAll("button[data-seconds]")) {
    button.addEventListener("click", () => seek(page.frames.atTime(Number(button.dataset.seconds))));
  }
}

const KEYS = {
  " ": togglePlay,
  ArrowLeft: () => seek(page.player.index - 1),
  ArrowRight: () => seek(page.player.index + 1),
  "Shift ArrowLeft": () => seek(page.player.index - 10),
  "Shift ArrowRight": () => seek(page.player.index + 10),
  Home: () => seek(0),
  End: () => seek(page.frames.last),
  n: () => neighbourEvent(1),
  p: () => neighbourEvent(-1),
  "1": () => editor.setMark("onset", page.player.index),
  "2": () => editor.setMark("apex", page.player.index),
  "3": () => editor.setMark("offset", page.player.index),
  c: () => page.store.selected && page.store.confirm(),
  a: () => editor.add(),
  Delete: () => editor.remove(),
  "+": () => timeline.zoom(0.5),
  "-": () => timeline.zoom(2),
  "0": () => timeline.fit(),
  "Control z": () => page.store.undo(),
  "Control y": () => page.store.redo(),
  "Control Shift z": () => page.store.redo(),
};

function isField(element) {
  return ["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName) && element.type !== "checkbox";
}

// Keys do nothing while something is typed or chosen, and the space bar presses the button that has the focus.
function isTaken(event) {
  const target = event.target;
  if (event.altKey || target.isContentEditable || isField(target)) return true;
  return event.key === " " && ["BUTTON", "SUMMARY", "INPUT", "A"].includes(target.tagName);
}

function keyName(event) {
  const isLetter = event.key.length === 1 && !(event.ctrlKey || event.metaKey);
  const shift = event.shiftKey && !isLetter ? "Shift " : "";
  const control = event.ctrlKey || event.metaKey ? "Control " : "";
  return control + shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

function pressKey(event) {
  if (event.key === "Escape" && !event.isComposing && isField(event.target)) event.target.blur();
  const action = KEYS[keyName(event)];
  if (!action || isTaken(event)) return;
  event.preventDefault();
  action();
}

// After a click with a pointer the space bar plays again; who uses the keyboard keeps the focus.
function releaseFocus(event) {
  const control = event.target.closest("button, input[type=checkbox]");
  if (event.detail > 0 && control) control.blur();
}

function refresh() {
  editor.refresh();
  timeline.draw();
  const { isUnsaved } = page.store;
  byId("unsaved").textContent = isUnsaved ? unsavedText() : "";
  keepDraft();
}

function keepDraft() {
  if (page.store.events === page.store.found) draft.clear(); else draft.save(page.store, coder());
}

function unsavedText() {
  const kept = draft.works ? "kept in this browser as a draft" : "lost when this page is closed: this browser keeps no drafts of it";
  return `Corrections that are not exported are ${kept}.`;
}

function loadDraft() {
  const kept = draft.load();
  if (!kept) return;
  page.store.events = kept.events;
  page.store.selectedId = kept.events[0]?.id ?? null;
  byId("coder").value = kept.coder ?? "";
  byId("draft").hidden = false;
}

function discardDraft() {
  byId("draft").hidden = true;
  page.store.replace(page.store.found, page.store.found[0]?.id ?? null);
  page.store.markExported();
}

function resize() {
  timeline.resize();
  drawPicture(page.player.index);
  editor.redrawPictures();
}

function start() {
  for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
  byId("without-script")?.remove();
  timeline.onSeek = seek;
  timeline.onSelect = event => selectEvent(event, false);
  editor.onSeek = seek;
  editor.onSelect = selectEvent;
  page.store.onChange(refresh);
  byId("timeline").setAttribute("aria-valuemin", page.frames.numbers[0]);
  byId("timeline").setAttribute("aria-valuemax", page.frames.numbers[page.frames.last]);
  loadDraft();
  listenToButtons();
  document.addEventListener("keydown", pressKey);
  document.addEventListener("click", releaseFocus);
  window.addEventListener("beforeunload", event => { if (page.store.isUnsaved) event.preventDefault(); });
  window.addEventListener("resize", resize);
  for (const media of ["print", "(prefers-color-scheme: dark)"]) {
    matchMedia(media).addEventListener("change", resize);
  }
  resize();
  refresh();
  startPicture();
  document.documentElement.dataset.ready = "true";
}

start();
