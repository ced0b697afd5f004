// Says on the page what allauth's scripts only tell the console.
document.addEventListener("allauth.error", () => {
  document.getElementById("key-problem").hidden = false;
});
