"use strict";
(() => {
  const bar = document.getElementById("live"), words = document.getElementById("live-words");
  const button = document.getElementById("pause");
  const SOONEST = 2000, LATEST = 30000;
  let tag = null, wait = SOONEST, paused = false, timer = 0;
  const say = (text, state) => { if (words.textContent !== text) words.textContent = text; bar.className = "live " + state; };
  const swap = (page) => {
    const next = new DOMParser().parseFromString(page, "text/html").querySelector("main");
    if (!next) return;
    const here = document.querySelector("main"), held = document.activeElement;
    const id = here.contains(held) ? held.id : "", open = [...here.querySelectorAll("details[open]")].map((d) => d.id);
    const across = new Map([...here.querySelectorAll(".scroll")].map((s) => [s.id, s.scrollLeft]));
    here.replaceWith(document.adoptNode(next));
    open.forEach((d) => { const there = document.getElementById(d); if (there) there.open = true; });
    across.forEach((left, s) => { const there = document.getElementById(s); if (there) there.scrollLeft = left; });
    if (id) document.getElementById(id)?.focus({ preventScroll: true });
  };
  const reading = () => String(getSelection()) !== "";
  const look = async () => {
    try {
      const answer = await fetch(location.pathname, { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
      if (answer.status === 200 && !reading()) {
        const page = await answer.text();
        if (tag) swap(page);
        tag = answer.headers.get("ETag");
      } else if (answer.status !== 200 && answer.status !== 304) {
        throw new Error(await answer.text());
      }
      wait = SOONEST;
      say("follows the ledger", "");
    } catch (error) {
      wait = Math.min(wait * 2, LATEST);
      say("no answer from `cws board --serve`: this is how it stood", "away");
    }
    if (!paused) timer = setTimeout(look, wait);
  };
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "follow" : "pause";
    clearTimeout(timer);
    if (paused) say("paused", "paused"); else look();
  });
  button.hidden = false;
  look();
})();
