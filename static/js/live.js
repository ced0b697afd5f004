// The one socket of a page. Every event becomes a DOM event "atelier:<type>" on the document; an older one is dropped.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const SAID_AFTER_MS = 1500; // a reconnection that is quicker than this is nobody's business
const SILENCE_MS = 25000; // while a job is unfinished the server speaks every ten seconds
const FORBIDDEN = 4403;
const ENDS = new Set(["job.done", "job.failed", "job.cancelled"]);

const latest = new Map(); // job -> its newest event
const unfinished = new Set();
const notice = document.getElementById("connection");
let socket;
let wait = FIRST_WAIT_MS;
let heard = Date.now();
let wasConnected = false;
let reconnecting;
let saying;

/** The newest event of a job, for a card that entered the page after it; undefined when there was none. */
export const latestOf = (job) => latest.get(job);

/** Whether (attempt, seq) of `a` comes before that of `b`. */
export const isOlder = (a, b) => a.attempt < b.attempt || (a.attempt === b.attempt && a.seq < b.seq);

function take(event) {
  if (event.type.startsWith("job.")) {
    const known = latest.get(event.job);
    if (known && isOlder(event, known)) return;
    latest.set(event.job, event);
    if (ENDS.has(event.type)) unfinished.delete(event.job);
    else unfinished.add(event.job);
  }
  document.dispatchEvent(new CustomEvent(`atelier:${event.type}`, { detail: event }));
}

function connect() {
  clearTimeout(reconnecting);
  if (socket && socket.readyState <= WebSocket.OPEN) return;
  let isOpen = false;
  const of = document.querySelector("[data-live]")?.dataset.live; // what the page wants to hear of beyond own jobs
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/${of ? `?of=${of}` : ""}`);
  socket.onopen = () => {
    isOpen = true;
    wait = FIRST_WAIT_MS;
    heard = Date.now();
    clearTimeout(saying);
    saying = undefined;
    notice.hidden = true;
    document.dispatchEvent(new CustomEvent("atelier:connected", { detail: { again: wasConnected } }));
    wasConnected = true;
  };
  socket.onmessage = (message) => {
    heard = Date.now();
    take(JSON.parse(message.data));
  };
  socket.onclose = async (event) => {
    // A handshake that is refused looks like a network that is down; only a request can tell them apart.
    if (event.code === FORBIDDEN || (!isOpen && (await isSignedOut()))) lostAccess();
    else lost();
  };
}

async function isSignedOut() {
  try {
    return (await fetch("/estimate/", { redirect: "manual" })).type === "opaqueredirect";
  } catch {
    return false;
  }
}

function lost() {
  saying ??= setTimeout(() => { notice.hidden = false; }, SAID_AFTER_MS);
  reconnecting = setTimeout(connect, wait * (0.75 + Math.random() / 2));
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

// Signed out elsewhere, or removed from a team: the page itself says what is still allowed. Once a minute, lest it loop.
function lostAccess() {
  const last = Number(sessionStorage.getItem("atelier:reloaded") ?? 0);
  if (Date.now() - last < 60000) return lost();
  sessionStorage.setItem("atelier:reloaded", Date.now());
  location.reload();
}

function hurry() {
  wait = FIRST_WAIT_MS;
  connect();
}

// Gives the socket up and opens another: a connection that died in its sleep does not say so by itself.
function renew() {
  socket.onclose = null;
  socket.close();
  socket = undefined;
  lost();
}

addEventListener("online", hurry);
addEventListener("offline", () => socket && renew());
addEventListener("pageshow", (event) => event.persisted && hurry());
addEventListener("pagehide", () => { // an open socket would keep the page out of the browser's back-forward cache
  clearTimeout(reconnecting);
  socket.onclose = null;
  socket.close();
});
document.addEventListener("visibilitychange", () => document.hidden || hurry());
setInterval(() => {
  if (unfinished.size && socket?.readyState === WebSocket.OPEN && Date.now() - heard > SILENCE_MS) renew();
}, 5000);

connect();
