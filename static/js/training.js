// The page of a training listens to its job, and asks for the part that moves when there is news. While the socket is
// down, or was never let in, that part asks by itself every few seconds, as it does without this file.

const GATHER_MS = 1000;
const WAIT_MS = 15000; // before another try
const FORBIDDEN = 4403;

const page = document.documentElement;
const part = () => document.getElementById("training-run");
let asking;

function ask() {
  asking ??= setTimeout(() => {
    asking = undefined;
    if (part()) htmx.trigger(part(), "news");
  }, GATHER_MS);
}

function hear({ type, step }) {
  const bar = part()?.querySelector("progress");
  if (type === "job.progress" && bar) bar.value = step;
  ask();
}

function listen() {
  const job = part()?.dataset.job;
  if (!job) return; // it has ended
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/jobs/${job}/`);
  socket.onopen = () => { page.dataset.hears = "yes"; };
  socket.onmessage = (message) => hear(JSON.parse(message.data));
  socket.onclose = ({ code }) => {
    delete page.dataset.hears;
    if (code !== FORBIDDEN) setTimeout(listen, WAIT_MS);
  };
}

document.addEventListener("visibilitychange", () => document.hidden || ask());
listen();
