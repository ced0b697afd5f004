// Parts of a page that follow a batch or a job: <… data-watch="its id" data-address="where the part is fetched">. What the
// server renders is the truth; events only say that it is time to ask, and are gathered so that hundreds ask once. Pieces
// whose id and data-version are the same stay the nodes they were: their pictures do not flicker.

const GATHER_MS = 1200;
const CHECK_MS = 15000; // while something is unfinished, whether or not an event came

const asking = new Map(); // part's id -> timer

const isBusy = (part) => document.hidden || Boolean(part.querySelector("dialog:popover-open, details.menu[open], .htmx-request"));

function ask(part) {
  if (asking.has(part.id)) return;
  asking.set(part.id, setTimeout(async () => {
    asking.delete(part.id);
    const now = document.getElementById(part.id);
    if (!now) return;
    if (isBusy(now)) ask(now);
    else await renew(now);
  }, GATHER_MS));
}

async function renew(part) {
  const response = await fetch(part.dataset.address, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!response) return;
  if (response.redirected || response.status === 404) return location.reload();
  if (!response.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const next = document.importNode(holder.content.querySelector("[data-watch]"), true);
  if (!part.isConnected || isBusy(part)) return;
  if (next.dataset.version && next.dataset.version === part.dataset.version) return;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  for (const piece of next.querySelectorAll("[data-version]")) {
    const same = document.getElementById(piece.id);
    if (same?.dataset.version === piece.dataset.version) piece.replaceWith(same);
  }
  part.replaceWith(next);
  htmx.process(next);
  if (focused && document.activeElement !== focused) (focused.isConnected ? focused : document.getElementById(focused.id))?.focus({ preventScroll: true });
}

const partsOf = (id) => document.querySelectorAll(`[data-watch="${id}"]`);

document.addEventListener("atelier:batch.changed", ({ detail }) => partsOf(detail.batch).forEach(ask));
for (const kind of ["snapshot", "queued", "paused", "done", "failed", "cancelled"]) {
  document.addEventListener(`atelier:job.${kind}`, ({ detail }) => partsOf(detail.job).forEach(ask));
}

// A job of a batch that runs shows its newest step; one that has just begun is asked for.
document.addEventListener("atelier:job.progress", ({ detail }) => {
  partsOf(detail.job).forEach(ask);
  const cell = document.getElementById(`cell-${detail.job}`);
  if (!cell) return;
  if (cell.dataset.state !== "running") return ask(cell.closest("[data-watch]"));
  cell.querySelector(".bar > b").style.inlineSize = `${(100 * detail.step) / detail.steps}%`;
  const [first] = detail.previews;
  const img = cell.querySelector("[data-cell-preview]");
  if (first && img) {
    img.src = first.url;
    img.hidden = false;
  }
});

const askAll = () => document.querySelectorAll("[data-watch][data-unfinished]").forEach(ask);
document.addEventListener("atelier:connected", ({ detail }) => detail.again && askAll());
document.addEventListener("visibilitychange", () => document.hidden || askAll());
setInterval(askAll, CHECK_MS);

// How long until another attempt.
setInterval(() => {
  for (const place of document.querySelectorAll("[data-until]")) {
    const seconds = Math.max(0, Math.ceil((Date.parse(place.dataset.until) - Date.now()) / 1000));
    place.textContent = place.dataset.words.replace("{n}", seconds);
  }
}, 1000);
