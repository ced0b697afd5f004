// Telling people who have gone elsewhere that their pictures are finished. Asked for by a button, never by itself.
import { showTemplate } from "./toast.js";

const OFFER = "atelier:notify-offered";
const OFFER_AFTER_MS = 4000; // who waits this long may want to leave
const LONG_AGO = 0;
let offering = LONG_AGO;

const wordsOf = (id) => document.getElementById(id).content.querySelector("p").textContent;

function offer() {
  if (!("Notification" in window) || Notification.permission !== "default" || localStorage.getItem(OFFER)) return;
  localStorage.setItem(OFFER, "1");
  showTemplate("toast-notify");
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest?.("[data-notify]")) return;
  event.target.closest("[data-toast]").remove();
  await Notification.requestPermission();
});

function tell(id, words, isShown) {
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    const notification = new Notification(wordsOf("toast-finished"), { body: words, tag: id });
    notification.onclick = () => { window.focus(); notification.close(); };
  }
  if (!isShown) showTemplate("toast-finished");
}

function tellOfJob(job) {
  const card = document.getElementById(`job-${job}`);
  tell(job, card?.querySelector(".job-prompt").textContent, Boolean(document.querySelector("#jobs, #edit[data-state=working]")));
}

// The jobs of a batch are told of once, when the last of them has ended; only its owner is told whether it has.
const batchesTold = new Set();
function tellOfBatch({ batch, ended }) {
  if (ended === false) batchesTold.delete(batch);
  if (!ended || batchesTold.has(batch)) return;
  batchesTold.add(batch);
  const part = document.querySelector(`[data-watch="${batch}"]`);
  tell(batch, part?.querySelector("h1, h2")?.textContent, Boolean(part));
}

/** What the live socket said of a job or a batch. */
export function take({ detail }) {
  if (detail.type === "batch.changed") tellOfBatch(detail);
  else if (detail.type === "job.progress") offering ||= setTimeout(offer, OFFER_AFTER_MS);
  else {
    clearTimeout(offering);
    offering = LONG_AGO;
    if (detail.type === "job.done" && !detail.batch) tellOfJob(detail.job);
  }
}
