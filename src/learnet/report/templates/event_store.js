// The events and their corrections. A list of events is never changed but replaced, so undo is a stack of lists.

// Events are called micro up to this length; the times are rounded as in the files that are exported.
function eventKind(event, frames, microMaxSeconds) {
  if (event.isBlink) return "blink";
  const [onset, offset] = [event.onset, event.offset].map(index => roundedSeconds(frames.times[index]));
  return offset - onset <= microMaxSeconds ? "micro" : "macro";
}

function roundedSeconds(seconds) { return Number(seconds.toFixed(6)); }

class EventStore {
  constructor(events, frames, microMaxSeconds) {
    this.frames = frames;
    this.microMaxSeconds = microMaxSeconds;
    this.found = events;  // as learnet wrote them
    this.events = events;
    this.selectedId = events.length ? events[0].id : null;
    this.past = [];
    this.future = [];
    this.exported = events;  // the list that was exported last
    this.listeners = [];
  }

  onChange(listener) { this.listeners.push(listener); }

  notify() { for (const listener of this.listeners) listener(); }

  get isUnsaved() { return this.events !== this.exported; }

  get selected() { return this.events.find(event => event.id === this.selectedId) ?? null; }

  get position() { return this.events.findIndex(event => event.id === this.selectedId); }

  kind(event) { return eventKind(event, this.frames, this.microMaxSeconds); }

  select(id) {
    this.selectedId = id;
    this.notify();
  }

  replace(events, selectedId = this.selectedId) {
    this.past.push({ events: this.events, selectedId: this.selectedId });
    this.future = [];
    this.set(events, selectedId);
  }

  set(events, selectedId) {
    const isFound = events === this.found;
    this.events = isFound ? events : [...events].sort((a, b) => a.onset - b.onset || a.offset - b.offset);
    this.selectedId = selectedId;
    this.notify();
  }

  // Change some properties of the selected event; what learnet found becomes "changed".
  change(changes) {
    const { selected } = this;
    const isSame = Object.entries(changes).every(([name, value]) => sameValue(selected[name], value));
    if (isSame) return;
    const status = selected.status === "added" ? "added" : "changed";
    const changed = { ...selected, ...changes, status };
    this.replace(this.events.map(event => event === selected ? changed : event));
  }

  confirm() {
    const { selected } = this;
    if (selected.status !== "found") return;
    this.replace(this.events.map(event => event === selected ? { ...event, status: "confirmed" } : event));
  }

  remove() {
    const { position } = this;
    const rest = this.events.filter(event => event.id !== this.selectedId);
    const neighbour = rest[Math.min(position, rest.length - 1)];
    this.replace(rest, neighbour ? neighbour.id : null);
  }

  add(event) {
    this.replace([...this.events, event], event.id);
  }

  undo() { this.travel(this.past, this.future); }

  redo() { this.travel(this.future, this.past); }

  travel(from, to) {
    if (!from.length) return;
    to.push({ events: this.events, selectedId: this.selectedId });
    const { events, selectedId } = from.pop();
    this.events = events;
    this.selectedId = selectedId;
    this.notify();
  }

  markExported() {
    this.exported = this.events;
    this.notify();
  }
}

function sameValue(a, b) { return JSON.stringify(a) === JSON.stringify(b); }

// The corrections survive a reload of the page where the browser lets a page opened from disk store something.
class Draft {
  constructor(key) {
    this.key = `learnet draft ${key}`;
    this.works = this.tryStorage();
  }

  tryStorage() {
    try {
      localStorage.setItem("learnet test", "1");
      localStorage.removeItem("learnet test");
      return true;
    } catch {
      return false;
    }
  }

  save(store, coder) {
    if (!this.works) return;
    try {
      localStorage.setItem(this.key, JSON.stringify({ events: store.events, coder }));
    } catch {
      this.works = false;  // the browser has no more room
    }
  }

  load() {
    if (!this.works) return null;
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  clear() {
    if (this.works) localStorage.removeItem(this.key);
  }
}
