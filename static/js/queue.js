// The queue page. The fragment that the server renders is the truth: it is fetched anew when something has moved, at most
// every few seconds, and never under somebody's hands. In between, events move the bars.

const REFRESH_MS = 4000; // at most that often
const SETTLE_MS = 400; // what moves together is fetched together
const CHECK_MS = 15000; // times to start and the workers' signs of life grow old
const STILL_MS = 6; // pixels, before a press on a handle is a drag

const announcer = document.getElementById("queue-announcer");
const connection = document.getElementById("connection"); // live.js shows it while the server does not answer
const queue = () => document.getElementById("queue");
const lineOf = (job) => document.getElementById(`line-${job}`);

// --- Fetching anew ---

let fetched = 0;
let timer;

const isBusy = () =>
  queue().matches(".is-dragging, .htmx-request") ||
  Boolean(queue().querySelector("dialog:popover-open, details[open], .htmx-request"));

function refresh() {
  timer ??= setTimeout(() => {
    timer = undefined;
    if (document.hidden || !connection.hidden) return; // there will be a reason to come back
    if (isBusy()) return refresh();
    fetched = Date.now();
    htmx.ajax("GET", queue().dataset.address, { source: queue(), target: "#queue", swap: "outerHTML" });
  }, Math.max(SETTLE_MS, fetched + REFRESH_MS - Date.now()));
}

for (const kind of ["queue.moved", "queue.changed", "job.queued", "job.paused", "job.done", "job.failed", "job.cancelled"]) {
  document.addEventListener(`atelier:${kind}`, refresh);
}
document.addEventListener("atelier:connected", ({ detail }) => detail.again && refresh());
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(refresh, CHECK_MS);

// What stands still now, or goes on, is said once; the notices themselves are drawn anew with all the rest.
const notices = () => Array.from(document.querySelectorAll(".queue-notice p:first-child"), (notice) => notice.textContent).join(" ");
let known = notices();
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "queue" || notices() === known) return;
  known = notices();
  announcer.textContent = known || announcer.dataset.goesOn;
});

// --- Progress ---

function inWords({ words, seconds, minutes }, { step, steps, eta }) {
  const text = words.replace("{step}", step).replace("{steps}", steps);
  if (!eta) return text;
  return `${text} · ${eta < 90 ? seconds.replace("{n}", Math.max(1, Math.round(eta))) : minutes.replace("{n}", Math.round(eta / 60))}`;
}

function showProgress({ detail }) {
  const line = lineOf(detail.job);
  if (!line?.matches("[data-state=running]")) return refresh(); // it has just started
  if (Number(line.dataset.attempt) > detail.attempt || Number(line.dataset.seq) > detail.seq) return;
  Object.assign(line.dataset, { attempt: detail.attempt, seq: detail.seq });
  line.querySelector("progress").value = (100 * detail.step) / detail.steps;
  const words = line.querySelector("[data-progress]");
  words.textContent = inWords(words.dataset, detail);
  const [first] = detail.previews;
  if (first) showPicture(line.querySelector("img"), first.url);
}

async function showPicture(img, url) {
  const next = new Image();
  next.src = url;
  try {
    await next.decode();
    Object.assign(img, { src: url, hidden: false });
  } catch { /* gone from the cache already; the next one comes */ }
}

for (const kind of ["job.progress", "queue.progress"]) document.addEventListener(`atelier:${kind}`, showProgress);

// --- Order ---

const peersOf = (line) => [...line.parentElement.children].filter((other) => other.dataset.peers === line.dataset.peers && other.dataset.move);

/** Puts `line` before `next`, a line or undefined for the end, here at once and then on the server. */
async function move(line, next) {
  const handle = line.querySelector("[data-handle]").id;
  const title = line.querySelector(".line-title").textContent;
  await htmx.ajax("POST", line.dataset.move, {
    source: line, target: "#queue", swap: "outerHTML", values: { before: next?.dataset.job ?? "" },
  });
  refresh(); // where it was refused, the line still stands where it was dropped
  const moved = lineOf(line.dataset.job);
  if (!moved) return;
  document.getElementById(handle)?.focus({ preventScroll: true });
  const peers = peersOf(moved);
  announcer.textContent = announcer.dataset.moved
    .replace("{title}", title).replace("{n}", peers.indexOf(moved) + 1).replace("{count}", peers.length);
}

// A key that is pressed while the server answers is meant for the order that comes: it waits, and none gets lost.
async function settled() {
  while (queue().matches(".htmx-request") || queue().querySelector(".htmx-request")) {
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

let keys = Promise.resolve();

async function moveByKey(job, key) {
  await settled();
  const line = lineOf(job);
  if (!line) return;
  const peers = peersOf(line);
  const here = peers.indexOf(line);
  const places = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: peers.length - 1 };
  const to = Math.max(0, Math.min(peers.length - 1, places[key]));
  if (to !== here) await move(line, peers[to > here ? to + 1 : to]);
}

document.addEventListener("keydown", (event) => {
  const line = event.target.closest?.("[data-handle]")?.closest(".line");
  if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  keys = keys.then(() => moveByKey(line.dataset.job, event.key));
});

let drag;

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest?.("[data-handle]");
  if (!handle || event.button !== 0) return;
  const line = handle.closest(".line");
  const peers = peersOf(line);
  drag = { line, peers, from: peers.indexOf(line), to: peers.indexOf(line), y: event.clientY + scrollY, started: false };
  handle.setPointerCapture(event.pointerId);
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const by = event.clientY + scrollY - drag.y;
  if (!drag.started) {
    if (Math.abs(by) < STILL_MS) return;
    drag.started = true;
    drag.tops = drag.peers.map((peer) => peer.offsetTop + peer.offsetHeight / 2);
    queue().classList.add("is-dragging");
    drag.line.classList.add("is-dragged");
  }
  const middle = drag.tops[drag.from] + by;
  drag.to = drag.tops.filter((top, index) => index !== drag.from && top < middle).length;
  drag.line.style.translate = `0 ${by}px`;
  drag.peers.forEach((peer, index) => {
    if (index === drag.from) return;
    const steps = Number(index < drag.from && index >= drag.to) - Number(index > drag.from && index <= drag.to);
    peer.style.translate = steps ? `0 ${steps * drag.line.offsetHeight}px` : "";
  });
});

function drop(isMeant) {
  if (!drag) return;
  const { line, peers, from, to, started } = drag;
  drag = undefined;
  if (!started) return;
  queue().classList.remove("is-dragging");
  line.classList.remove("is-dragged");
  for (const peer of peers) peer.style.translate = "";
  if (!isMeant || to === from) return;
  const next = peers[to > from ? to + 1 : to];
  if (next) next.before(line);
  else peers.at(-1).after(line);
  move(line, next);
}

document.addEventListener("pointerup", () => drop(true));
document.addEventListener("pointercancel", () => drop(false));
document.addEventListener("keydown", (event) => event.key === "Escape" && drop(false));
