// The Create page: live job cards. Events are hints, the card that the server renders is the truth.
import "./film.js";
import { start } from "./composer.js";
import { isOlder, latestOf } from "./live.js";
import { forgetPlace } from "./place.js";

const DRAIN_MS = 3000; // how long a finished job waits for its last previews to be seen, at most
const QUEUE = 24; // previews a tile keeps when they come faster than they load: a run of usual length is seen whole
const DECODE_MS = 2000;
const CHECK_MS = 10000;
const UNFINISHED = ".job:is([data-state=queued], [data-state=running], [data-state=paused])";

const jobs = document.getElementById("jobs");
const announcer = document.getElementById("announcer");
const cardOf = (job) => document.getElementById(`job-${job}`);
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

start();
forgetPlace();

// --- Previews: each is loaded and decoded before it takes the place of the one before, so nothing flickers ---

const waiting = new WeakMap(); // img -> urls to show, in order
const showing = new Set(); // promises of tiles at work

function showPreview(img, url) {
  const urls = waiting.get(img);
  if (urls) {
    urls.push(url);
    if (urls.length > QUEUE) urls.shift();
    return;
  }
  waiting.set(img, [url]);
  const work = showAll(img).finally(() => showing.delete(work));
  showing.add(work);
}

async function showAll(img) {
  const urls = waiting.get(img);
  while (urls.length) {
    const url = urls.shift();
    const next = new Image();
    next.src = url;
    try {
      await next.decode();
      img.src = url;
      img.hidden = false;
    } catch { /* gone from the cache already; the next one comes */ }
  }
  waiting.delete(img);
}

// The first picture's previews stay in the strip below: each slot takes the newest step up to its own.
function fillStrip(card, { step, previews: [first] }) {
  for (const slot of card.querySelectorAll(".is-filling > i")) {
    if (Number(slot.dataset.step) <= step && !slot.style.backgroundImage) slot.style.backgroundImage = `url("${first.url}")`;
  }
}

function showProgress(card, event) {
  if (event.previews.length) fillStrip(card, event);
  for (const { index, url } of event.previews) {
    const img = card.querySelector(`[data-preview="${index}"]`);
    if (img && !img.src.endsWith(url)) showPreview(img, url);
  }
  for (const bar of card.querySelectorAll(".bar > b")) bar.style.inlineSize = `${(100 * event.step) / event.steps}%`;
  const words = card.querySelector("[data-progress]");
  if (words) words.textContent = inWords(words.dataset, event);
}

function inWords({ words, seconds, minutes }, { step, steps, eta }) {
  const text = words.replace("{step}", step).replace("{steps}", steps);
  if (!eta) return text;
  return `${text} · ${eta < 90 ? seconds.replace("{n}", Math.max(1, Math.round(eta))) : minutes.replace("{n}", Math.round(eta / 60))}`;
}

// --- Cards ---

async function decoded(card) {
  const pictures = [...card.querySelectorAll(".tile > a > img")].map((img) => img.decode().catch(() => {}));
  await Promise.race([Promise.all(pictures), pause(DECODE_MS)]);
}

const renewing = new Map(); // job -> whether to renew once more

/** Replaces a card by what the server says now; never two at once, never an older one over a newer. */
async function renew(job) {
  if (renewing.has(job)) {
    renewing.set(job, true);
    return;
  }
  renewing.set(job, false);
  try {
    await replace(cardOf(job));
  } finally {
    const again = renewing.get(job);
    renewing.delete(job);
    if (again && cardOf(job)) renew(job);
  }
}

async function replace(card) {
  const response = await fetch(card.dataset.card, { headers: { "HX-Request": "true" } });
  if (response.redirected) return location.reload();
  if (response.status === 404) return card.remove();
  if (!response.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const next = document.importNode(holder.content.querySelector(".job"), true);
  const current = cardOf(card.dataset.job);
  if (!current) return;
  await decoded(next);
  const hadFocus = current.contains(document.activeElement);
  current.replaceWith(next);
  htmx.process(next);
  if (hadFocus) next.focus({ preventScroll: true });
}

function announce(state, card) {
  announcer.textContent = announcer.dataset[state].replace("{prompt}", card.querySelector(".job-prompt").textContent);
}

// --- Events ---

function onProgress(event) {
  const card = cardOf(event.job);
  if (!card?.matches(UNFINISHED)) return;
  card.heard = Date.now();
  if (card.matches(".job-emerging")) {
    card.dataset.state = "running";
    if (event.step) showProgress(card, event);
  } else renew(event.job);
}

function onWaiting(event) {
  const card = cardOf(event.job);
  if (!card) return;
  card.heard = Date.now();
  const isSame = card.dataset.state === (event.state ?? "queued") && card.dataset.position === String(event.position ?? "");
  if (!isSame) renew(event.job);
}

async function onEnd(event) {
  const card = cardOf(event.job);
  if (!card?.matches(UNFINISHED)) return;
  const state = event.type.replace("job.", "");
  if (state === "done") await Promise.race([Promise.all([...showing]), pause(DRAIN_MS)]);
  await renew(event.job);
  announce(state, card);
  document.dispatchEvent(new CustomEvent("atelier:cost"));
}

function apply(event) {
  if (event.type === "job.progress") onProgress(event);
  else if (event.type === "job.snapshot" && event.state === "running") onProgress(event);
  else if (["job.queued", "job.paused", "job.snapshot"].includes(event.type)) onWaiting(event);
  else onEnd(event);
}

for (const kind of ["snapshot", "queued", "progress", "paused", "done", "failed", "cancelled"]) {
  document.addEventListener(`atelier:job.${kind}`, ({ detail }) => apply(detail));
}

// A card may enter the page after the first events of its job.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "jobs") return;
  const card = jobs.querySelector(".job");
  if (!card) return;
  announce("queued", card);
  document.dispatchEvent(new CustomEvent("atelier:cost"));
  const missed = latestOf(card.dataset.job);
  const shown = { attempt: Number(card.dataset.attempt), seq: Number(card.dataset.seq) };
  if (missed && isOlder(shown, missed)) apply(missed);
});

// --- The step before a batch starts: it goes when the words that led to it change ---

const confirming = document.getElementById("confirm");
const closeConfirm = () => confirming?.replaceChildren();
document.addEventListener("input", (event) => event.target.form?.id === "composer-form" && closeConfirm());
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "jobs") closeConfirm();
  if (detail.target !== confirming) return;
  document.querySelectorAll("#composer .error").forEach((error) => error.remove()); // of what was sent before
  document.querySelectorAll("#composer [aria-invalid]").forEach((control) => control.removeAttribute("aria-invalid"));
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-close-confirm]")) return;
  closeConfirm();
  document.getElementById("prompt").focus();
});

// What ended while the socket was away, or whose end was lost on the way, is found by asking.
function renewUnfinished({ silentFor = 0 } = {}) {
  for (const card of document.querySelectorAll(UNFINISHED)) {
    if (Date.now() - (card.heard ?? 0) >= silentFor) renew(card.dataset.job);
  }
}
document.addEventListener("atelier:connected", ({ detail }) => detail.again && renewUnfinished());
setInterval(renewUnfinished, CHECK_MS, { silentFor: 1.5 * CHECK_MS });
