// Everything here is a comfort: each page works without it.
(() => {
  "use strict";
  const all = (selector, root = document) => root.querySelectorAll(selector);
  const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const written = (n) => n.toLocaleString(document.documentElement.lang === "en" ? "en-GB" : "vi-VN");

  // Whoever sent a form with faults hears of them first.
  const summary = document.querySelector(".govuk-error-summary");
  if (summary) summary.focus();

  // Links in the summary put the cursor into the field.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".govuk-error-summary a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    (field.closest(".govuk-form-group") ?? field).scrollIntoView();
    field.focus({ preventScroll: true });
  });

  // Long filters start folded on phones.
  if (matchMedia("(max-width: 47.99em)").matches) for (const fold of all("details[data-fold]")) fold.open = false;

  // A menu that lies over the page closes when one goes elsewhere.
  const menu = document.querySelector("details.account");
  if (menu) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }

  // Leaving at once: nothing of the page stays to be seen, and Back does not lead to it.
  const exit = document.querySelector("[data-exit]");
  if (exit) {
    const leave = () => {
      document.documentElement.hidden = true;
      location.replace(exit.href);
    };
    let pressed = 0, since = 0;
    exit.parentElement.querySelector(".exit__keys").hidden = false;
    exit.addEventListener("click", (event) => { event.preventDefault(); leave(); });
    addEventListener("keydown", (event) => {
      pressed = event.key === "Escape" && Date.now() - since < 3000 ? pressed + 1 : Number(event.key === "Escape");
      if (pressed === 1) since = Date.now();
      if (pressed === 3) leave();
    });
    addEventListener("pageshow", (event) => { if (event.persisted) leave(); });
  }

  for (const button of all("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // One click sends one form.
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.querySelector("[data-once]") || event.defaultPrevented) return;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    setTimeout(() => sent.delete(form), 8000);
  });
  addEventListener("pageshow", (event) => { if (event.persisted) for (const form of document.forms) sent.delete(form); });

  // Counting characters; spoken when the typing rests.
  for (const area of all("textarea[data-limit]")) {
    const shown = document.getElementById(area.id + "_count");
    if (!shown) continue;
    const spoken = document.createElement("div");
    spoken.className = "vh";
    spoken.setAttribute("role", "status");
    shown.after(spoken);
    let rest;
    const count = () => {
      const left = area.dataset.limit - area.value.replace(/\n/g, "\r\n").length;
      shown.textContent = fill(left < 0 ? area.dataset.over : area.dataset.left, { n: written(Math.abs(left)) });
      shown.classList.toggle("count--over", left < 0);
      clearTimeout(rest);
      rest = setTimeout(() => { if (document.activeElement === area) spoken.textContent = shown.textContent; }, 1500);
    };
    area.addEventListener("input", count);
    if (area.value) count();
  }

  // Files: our words over the browser's control, which speaks the browser's language.
  for (const box of all("[data-file]")) {
    const input = box.querySelector("input"), names = box.querySelector(".file__names");
    const name = () => {
      const files = input.files;
      names.textContent = files.length === 0 ? box.dataset.none : files.length === 1 ? files[0].name : fill(box.dataset.many, { n: files.length });
    };
    box.classList.add("file--ready");
    box.querySelector(".file__face").hidden = false;
    input.addEventListener("change", name);
    name();
  }

  // Who changes the language in the middle of a form finds there what was typed: carried once, in this tab alone.
  const fields = () => [...all("main form[method=post] :is(input, textarea, select)")].filter((field) => !/^(hidden|password|file)$/.test(field.type));
  const ticked = (field) => field.type === "radio" || field.type === "checkbox";
  let typed = false;
  document.addEventListener("input", (event) => { typed ||= fields().includes(event.target); });
  for (const link of all(".languages a")) {
    link.addEventListener("click", () => {
      if (!typed) return;
      const kept = fields().map((field) => [field.name, ticked(field) ? field.checked : field.value]);
      try { sessionStorage.setItem("carried", JSON.stringify([link.href, kept])); } catch { /* Full or forbidden: the form is as the server has it. */ }
    });
  }
  try {
    const [place, kept] = JSON.parse(sessionStorage.getItem("carried") ?? "[]");
    sessionStorage.removeItem("carried");
    if (place === location.href) {
      fields().forEach((field, at) => {
        const [name, value] = kept[at] ?? [];
        const kind = ticked(field) ? "checked" : "value";
        if (name !== field.name || field[kind] === value) return;
        field[kind] = value;
        typed = true;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        const fold = field.closest("details");
        if (fold) fold.open = true;
      });
    }
  } catch { /* As above. */ }

  // A list that was renewed in place says so.
  document.addEventListener("htmx:after:swap", (event) => {
    const heading = event.detail.ctx.target?.querySelector?.("[data-announce]");
    if (heading) { heading.tabIndex = -1; heading.focus(); }
  });
  // A whole page where a part was asked for (the session has ended, something failed): go there.
  document.addEventListener("htmx:after:request", (event) => {
    const { text, request, response } = event.detail.ctx;
    const lost = document.getElementById("lost");
    if (lost) lost.hidden = true;
    if (!/<html[\s>]/i.test(text ?? "") || (request.method !== "GET" && !response.raw.redirected)) return;
    event.preventDefault();
    location.assign(response.raw.url);
  });
  document.addEventListener("htmx:error", () => {
    const lost = document.getElementById("lost");
    if (lost) { lost.hidden = false; lost.scrollIntoView({ block: "nearest" }); }
  });

  const idle = document.getElementById("idle");
  if (idle?.showModal) watchIdle(idle);

  // The server ends an idle session. Here we warn in time, keep it alive while somebody works, and never lose what
  // was typed: an ended page is covered, not left, and opens again when the same person has signed in elsewhere.
  function watchIdle(box) {
    const { keepAlive, who, say } = box.dataset;
    const allowed = box.dataset.seconds * 1000, warning = box.dataset.warning * 1000;
    const part = (id) => document.getElementById(id);
    const channel = "BroadcastChannel" in window ? new BroadcastChannel("gandan-session") : null;
    const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
    let alive = Date.now(), acted = 0, asking = false, spoken = 0, ended = false;

    const words = (left) => {
      const seconds = Math.max(0, Math.ceil(left / 1000)), minutes = Math.ceil(seconds / 60);
      if (seconds <= 59) return fill(box.dataset.secondCount, { n: seconds });
      return minutes === 1 ? box.dataset.minute : fill(box.dataset.minutes, { n: minutes });
    };
    const tell = (kind) => channel?.postMessage({ kind, who, token: token() });
    const open = () => {
      alive = Date.now();
      spoken = 0;
      if (ended) { ended = false; cover(false); }
      part("idle-fault").hidden = true;
      if (box.open) box.close();
    };
    const cover = (on) => {
      box.classList.toggle("idle--ended", on);
      box.querySelector(".idle__warning").hidden = on;
      box.querySelector(".idle__ended").hidden = !on;
      box.setAttribute("aria-labelledby", on ? "idle-ended" : "idle-title");
      if (on && !box.open) box.showModal();
      if (on) part("idle-ended").focus();
    };
    const end = () => { if (!ended) { ended = true; cover(true); } };
    const ask = async () => {
      if (asking) return;
      asking = true;
      try {
        const answer = await fetch(keepAlive, { method: "POST", redirect: "manual", headers: { "X-CSRFToken": token(), "X-Requested-With": "XMLHttpRequest" } });
        if (answer.ok) { open(); tell("alive"); } else if (answer.status >= 500) throw new Error(String(answer.status)); else end();
      } catch {
        part("idle-fault").hidden = false;
        if (!box.open && alive + allowed - Date.now() < warning * 2) box.showModal();
      } finally {
        asking = false;
      }
    };

    for (const kind of ["pointerdown", "keydown", "input"]) addEventListener(kind, () => { acted = Date.now(); }, { passive: true });
    part("idle-stay").addEventListener("click", ask);
    box.addEventListener("cancel", (event) => { event.preventDefault(); if (!ended) ask(); });
    channel?.addEventListener("message", ({ data }) => {
      if (data.who !== who) { if (data.kind === "signed-in") location.reload(); return; }
      if (data.kind === "ended") return end();
      if (data.token) for (const field of all("input[name=csrfmiddlewaretoken]")) field.value = data.token;
      open();
    });
    const leave = part("idle-leave").action;
    document.addEventListener("submit", (event) => { if (event.target.action === leave) tell("ended"); });
    tell("signed-in");

    const tick = () => {
      if (ended) return;
      const now = Date.now(), left = alive + allowed - now;
      if (left <= 0) return end();
      if (!box.open && acted - alive > Math.min(60000, allowed / 4)) ask();
      if (left > warning) return;
      if (!box.open) { box.showModal(); part("idle-stay").focus(); }
      part("idle-left").textContent = words(left);
      const mark = left <= 15000 ? 15 : left <= 60000 ? 60 : 120;
      if (mark !== spoken) { spoken = mark; part("idle-say").textContent = fill(say, { time: words(left) }); }
    };
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  }
})();
