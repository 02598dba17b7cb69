// The corrected events as files that `learnet import-annotations` reads: a table, and ELAN.

// Action units as FACS coders write them: 4+L10.
function unitsText(units) {
  const letters = { left: "L", right: "R" };
  const sorted = [...units].sort((a, b) => a.unit - b.unit);
  return sorted.map(unit => (letters[unit.side] ?? "") + unit.unit).join("+");
}

// Units of a code, or null if it is written in another way. A unit without a letter moves on both sides, if it
// has sides. A unit whose score learnet gave keeps it; others have none.
function parseUnits(text, known, facs) {
  if (!text.trim()) return [];
  const units = [];
  for (const part of text.split("+")) {
    const match = /^\s*([LR]?)(\d{1,2})\s*$/i.exec(part);
    if (match === null) return null;
    const unit = Number(match[2]);
    if (!facs.ranges.some(([first, last]) => first <= unit && unit <= last)) return null;
    const both = facs.paired.includes(unit) ? "both" : "";
    const side = { L: "left", R: "right" }[match[1].toUpperCase()] ?? both;
    const earlier = known.find(other => other.unit === unit && other.side === side);
    units.push({ unit, side, score: earlier ? earlier.score : null });
  }
  return units.sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
}

function shortNumber(value) { return String(Number(value.toPrecision(6))); }

// An apostrophe stands before what spreadsheet programs would run as a formula; learnet takes it off again.
function csvCell(value) {
  const isFormula = /^'*\s*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(value) && value !== "-";
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value);
  const text = isFormula && !isNumber ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Who saw an event: learnet, or the person who confirmed, changed or added it.
function sourceOf(event, coder) {
  return event.status === "found" ? "learnet" : coder;
}

// Units that a person coded have no score; then none of the event is given.
function scoresText(units) {
  if (units.some(unit => unit.score === null)) return "";
  return units.map(unit => shortNumber(unit.score)).join("; ");
}

function csvRow(event, kind, frames, coder) {
  const units = [...event.units].sort((a, b) => a.unit - b.unit);
  return {
    onset: frames.numbers[event.onset],
    apex: frames.numbers[event.apex],
    offset: frames.numbers[event.offset],
    onset_s: roundedSeconds(frames.times[event.onset]),
    apex_s: roundedSeconds(frames.times[event.apex]),
    offset_s: roundedSeconds(frames.times[event.offset]),
    kind,
    regions: event.regions.join("; "),
    action_units: unitsText(units),
    action_unit_scores: scoresText(units),
    label: event.label,
    score: event.label && event.score ? shortNumber(event.score) : "",
    strength_px: event.strength ? shortNumber(event.strength) : "",
    source: sourceOf(event, coder),
    reason: event.reason,
    status: event.status,
  };
}

// Columns as learnet writes them, and `status`, as where a person has corrected events.
function csvText(store, columns, coder) {
  const lines = [[...columns, "status"].join(",")];
  for (const event of store.events) {
    const row = csvRow(event, store.kind(event), store.frames, coder);
    lines.push([...columns, "status"].map(name => csvCell(row[name])).join(","));
  }
  return lines.join("\n") + "\n";
}

function xmlText(text) {
  // Characters that XML cannot have at all are left out.
  const allowed = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "");
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return allowed.replaceAll(/[&<>"]/g, character => entities[character]);
}

// An event in one line: `micro; AU 4+L10; negative 0.83; left brow, lips; apex 7.320 s`.
function eventLine(event, kind, frames) {
  const parts = [kind];
  if (event.units.length) parts.push(`AU ${unitsText(event.units)}`);
  if (event.label) parts.push(event.score ? `${event.label} ${event.score.toFixed(2)}` : event.label);
  if (event.regions.length) parts.push(event.regions.join(", "));
  parts.push(`apex ${frames.times[event.apex].toFixed(3)} s`);
  return parts.join("; ");
}

// Tiers of ELAN, in none of which two annotations overlap: `coder`, `coder (2)`.
function tiersOf(store, coder) {
  const tiers = new Map();
  for (const event of store.events) {
    const start = Math.round(1000 * store.frames.times[event.onset]);
    const end = Math.max(Math.round(1000 * store.frames.times[event.offset]), start + 1);
    const source = sourceOf(event, coder) || "annotation";
    let name = source;
    for (let number = 2; (tiers.get(name)?.at(-1).end ?? 0) > start; number++) name = `${source} (${number})`;
    if (!tiers.has(name)) tiers.set(name, []);
    tiers.get(name).push({ event, start, end });
  }
  return tiers;
}

function elanText(store, video, coder) {
  const slots = [], tiers = [], statuses = [];
  for (const [name, annotations] of tiersOf(store, coder)) {
    const lines = annotations.map(({ event, start, end }) => {
      const id = `a${statuses.length + 1}`;
      const [first, second] = [`ts${slots.length + 1}`, `ts${slots.length + 2}`];
      slots.push(timeSlot(first, start), timeSlot(second, end));
      statuses.push(`${id} ${event.status}`);
      const value = xmlText(eventLine(event, store.kind(event), store.frames));
      return `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="${id}" TIME_SLOT_REF1="${first}" `
        + `TIME_SLOT_REF2="${second}"><ANNOTATION_VALUE>${value}</ANNOTATION_VALUE>`
        + "</ALIGNABLE_ANNOTATION></ANNOTATION>";
    });
    tiers.push(`<TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="${xmlText(name)}">\n${lines.join("\n")}\n</TIER>`);
  }
  return elanDocument(video, statuses, slots, tiers);
}

function timeSlot(id, milliseconds) {
  return `<TIME_SLOT TIME_SLOT_ID="${id}" TIME_VALUE="${milliseconds}"/>`;
}

function elanDocument(video, statuses, slots, tiers) {
  const media = video.name === "" ? ""
    : `<MEDIA_DESCRIPTOR MEDIA_URL="${xmlText(video.name)}" MIME_TYPE="${xmlText(video.mime)}" `
    + `RELATIVE_MEDIA_URL="./${xmlText(video.name)}"/>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="learnet" DATE="${new Date().toISOString()}" FORMAT="3.0" VERSION="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
${media}<PROPERTY NAME="learnet frames per second">${video.fps}</PROPERTY>
<PROPERTY NAME="learnet status">${xmlText(statuses.join(", "))}</PROPERTY>
</HEADER>
<TIME_ORDER>
${slots.join("\n")}
</TIME_ORDER>
${tiers.join("\n")}
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
`;
}

function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
