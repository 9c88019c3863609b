/* What a page can do beyond HTML. Everything here is an addition: without it, the same forms and links work. */
(() => {
  "use strict";
  const words = JSON.parse(document.body.dataset.words || "{}");
  const language = document.documentElement.lang;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const announce = (text) => { document.getElementById("announcer").textContent = text; };

  /* What the browser keeps; it may be full or forbidden, and then nothing is kept. */
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* nothing is kept */ } },
    remove(key) { try { localStorage.removeItem(key); } catch { /* nothing is kept */ } },
    keys() { try { return Object.keys(localStorage); } catch { return []; } },
  };

  /* ---------- Frame ---------- */
  const narrowSide = matchMedia("(max-width: 1099px)");
  const foldSide = () => document.documentElement.classList.toggle("side-folded", narrowSide.matches || store.get("huying:side") === "folded");
  foldSide();
  narrowSide.addEventListener("change", foldSide);
  all("[data-fold]").forEach((button) => button.addEventListener("click", () => {
    const folded = document.documentElement.classList.toggle("side-folded");
    store.set("huying:side", folded ? "folded" : "open");
  }));

  const largeText = all("form[data-large-text]");
  const showText = () => largeText.forEach((form) => form.querySelector("button").setAttribute("aria-pressed", String(document.documentElement.classList.contains("large-text"))));
  showText();
  largeText.forEach((form) => form.addEventListener("submit", (event) => {
    event.preventDefault();
    const size = document.documentElement.classList.toggle("large-text") ? "large" : "standard";
    store.set("huying:text", size);
    showText();
    const body = new FormData(form);
    body.set("size", size);
    fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" }).catch(() => { /* this browser keeps it at least */ });
  }));

  all("[data-count]").forEach(async (count) => {
    try {
      const answer = await fetch(count.dataset.count, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (answer.ok) count.textContent = (await answer.json()).label;
    } catch { /* the page said already that there are more */ }
  });

  all("[data-counts]").forEach(async (navigation) => {
    try {
      const answer = await fetch(navigation.dataset.counts, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) return;
      const counts = await answer.json();
      navigation.querySelectorAll("[data-waiting]").forEach((place) => {
        const count = counts[place.dataset.waiting];
        place.textContent = count ? (count < 100 ? count : "99+") : "";
      });
    } catch { /* the lists themselves tell */ }
  });

  all("[data-preview]").forEach((panel) => {
    const form = document.querySelector("form.main-form");
    const state = panel.querySelector("[data-preview-state]");
    const paper = panel.querySelector("iframe");
    let timer = 0, asked = 0, shown = "";
    const show = async () => {
      const turn = ++asked;
      state.textContent = state.dataset.waits;
      try {
        const answer = await fetch(panel.dataset.preview, { method: "POST", body: new FormData(form), credentials: "same-origin" });
        if (turn !== asked) return;
        if (answer.ok) {
          const before = shown;
          shown = URL.createObjectURL(await answer.blob());
          paper.src = shown;
          if (before) URL.revokeObjectURL(before);
          state.textContent = "";
        } else {
          const told = answer.status === 422 ? await answer.json() : null;
          state.textContent = told ? told.message : state.dataset.failed;
        }
      } catch { if (turn === asked) state.textContent = state.dataset.failed; }
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(show, 800); };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    show();
  });

  all("[data-fetched]").forEach(async (place) => {
    try {
      const answer = await fetch(place.dataset.fetched, { credentials: "same-origin" });
      if (!answer.ok) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fetched");
      if (found) place.replaceWith(...found.childNodes);
    } catch { /* the link stays */ }
  });

  const closeMenus = (except) => all("details.menu[open]").forEach((menu) => { if (menu !== except) menu.open = false; });
  document.addEventListener("click", (event) => {
    const menu = event.target.closest("details.menu");
    closeMenus(menu && !event.target.closest("[data-opens]") ? menu : null);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.activeElement?.closest("details.menu[open]");
      closeMenus();
      menu?.querySelector("summary").focus();
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      const search = document.querySelector("[data-search-focus]");
      if (!search) return;
      event.preventDefault();
      if (search.offsetParent) search.select();
      else location.assign(search.form.action);
    } else if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const form = event.target.closest("form[data-once]");
      if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[type=submit]")); }
    }
  });

  all("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

  all("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      /* Without HTTPS browsers refuse the clipboard: select the text and copy it the old way. */
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    announce(words.copied);
    button.title = words.copied;
    const use = button.querySelector("use");
    const address = use.getAttribute("href");
    use.setAttribute("href", address.replace("#copy", "#check"));
    setTimeout(() => use.setAttribute("href", address.replace("#check", "#copy")), 2000);
  }));

  /* ---------- Lists: the whole row opens; links, buttons and boxes in it stay themselves ---------- */
  all("[data-row]").forEach((row) => row.addEventListener("click", (event) => {
    if (event.target.closest("a, button, input, label, select, details, form, .choose") || String(getSelection())) return;
    const link = all("a.row-link", row).find((item) => item.offsetParent) || row.querySelector("a.row-link");
    if (!link) return;
    if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  }));

  all("[data-choose-group]").forEach((button) => {
    const boxes = all("input[type=checkbox]", document.getElementById(button.dataset.chooseGroup));
    button.addEventListener("click", () => {
      const every = boxes.every((box) => box.checked);
      boxes.forEach((box) => { box.checked = !every; });
    });
  });

  all("[data-bulk]").forEach((bar) => {
    const boxes = all(`input[name="keys"][form="${bar.id}"]`);
    const everything = document.querySelector("[data-choose-all]");
    const show = () => {
      const count = boxes.filter((box) => box.checked).length;
      bar.classList.toggle("some", count > 0);
      bar.querySelector(".bulk-count").textContent = fill(words.selected, { count });
      if (everything) {
        everything.checked = count === boxes.length;
        everything.indeterminate = count > 0 && count < boxes.length;
      }
    };
    boxes.forEach((box) => box.addEventListener("change", show));
    everything?.addEventListener("change", () => { boxes.forEach((box) => { box.checked = everything.checked; }); show(); });
    show();
  });

  /* A filter that is not filled in does not lengthen the address. */
  all("form.filters").forEach((form) => form.addEventListener("submit", () => {
    const empty = all("input, select", form).filter((field) => field.name && !field.value);
    empty.forEach((field) => { field.disabled = true; });
    setTimeout(() => empty.forEach((field) => { field.disabled = false; }), 0);
  }));

  /* ---------- Repeated groups: another one is a copy of the last, before anything was added to it ---------- */
  all("[data-repeat]").forEach((group) => {
    const add = group.querySelector(":scope > .group-add");
    const items = () => all(":scope > .group-item", group);
    if (!add || !items().length) return;
    const last = items().at(-1).outerHTML;
    const index = items().length - 1;
    const show = () => { add.hidden = items().length >= Number(group.dataset.most); };
    show();
    let made = index;
    group.addEventListener("click", (event) => {
      const remove = event.target.closest(".group-remove");
      if (!remove) return;
      remove.closest(".group-item").remove();
      group.dispatchEvent(new Event("change", { bubbles: true }));
      show();
      add.focus();
    });
    add.addEventListener("click", () => {
      const next = ++made;
      const holder = document.createElement("div");
      holder.innerHTML = last.replaceAll(`-${index}`, `-${next}`);
      const item = holder.firstElementChild;
      all("input, textarea, select", item).forEach((field) => {
        if (field.type === "checkbox" || field.type === "radio") field.checked = false;
        else if (field.type !== "hidden") field.value = "";
      });
      const legend = item.querySelector("legend");
      legend.textContent = legend.textContent.replace(String(index + 1), String(next + 1));
      add.before(item);
      enhance(item);
      show();
      focusFirst(item);
    });
  });

  /* ---------- Fields ---------- */
  function enhanceSelect(select) {
    const address = select.dataset.searchUrl;
    if (!address && select.options.length <= 12 && !select.multiple) return;
    const escapeText = (text) => { const span = document.createElement("span"); span.textContent = text ?? ""; return span.innerHTML; };
    const blank = [...select.options].find((option) => option.value === "" || option.value === "__None");
    const settings = {
      plugins: select.multiple ? { remove_button: { title: words.remove } } : {},
      valueField: "value",
      labelField: "text",
      searchField: ["text", "hint"],
      maxOptions: 100,
      allowEmptyOption: Boolean(blank) && blank.value !== "",
      placeholder: select.getAttribute("placeholder") || words.search,
      render: {
        option: (data) => `<div><span>${escapeText(data.text)}</span>${data.hint ? `<span class="hint">${escapeText(data.hint)}</span>` : ""}</div>`,
        no_results: () => `<div class="no-results">${escapeText(words.nothing)}</div>`,
        loading: () => `<div class="note">${escapeText(words.searching)}</div>`,
      },
    };
    if (address) {
      /* The server has searched already: show what it found, in its order. */
      settings.searchField = [];
      settings.preload = "focus";
      settings.load = async (query, done) => {
        try {
          const url = new URL(address, location.href);
          url.searchParams.set("q", query);
          const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
          if (!answer.ok) throw new Error(String(answer.status));
          const { results } = await answer.json();
          picker.clearOptions((option) => picker.items.includes(String(option.value)));
          done(results);
        } catch {
          announce(words.unreachable);
          done();
        }
      };
    }
    const picker = new TomSelect(select, settings);
    const described = select.getAttribute("aria-describedby");
    select.setAttribute("aria-hidden", "true");
    if (described) picker.control_input.setAttribute("aria-describedby", described);
    if (select.required) picker.control_input.setAttribute("aria-required", "true");
  }

  const calendars = { "zh-Hans": "zh", "zh-Hant": "zh_tw" };

  /* Typed dates: 2026-11-23, 2026/11/23, 2026.11.23, 20261123, 2026年11月23日; with a time 9:05, 09:05, 0905 after them. The server reads the same. */
  function parseDate(text) {
    const match = /^\s*(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D*(?:(\d{1,2})[:：时時点點]?(\d{1,2})?)?\D*$/.exec(text || "");
    if (!match) return undefined;
    const [year, month, day, hour, minute] = match.slice(1).map((part) => Number(part || 0));
    const date = new Date(year, month - 1, day, hour, minute);
    return date.getMonth() === month - 1 && date.getDate() === day ? date : undefined;
  }

  function enhanceDate(input) {
    const time = input.dataset.picker === "datetime-local";
    input.type = "text";
    input.value = input.value.replace("T", " ");
    input.placeholder ||= `${new Date().getFullYear()}-01-31${time ? " 10:30" : ""}`;
    /* A date nobody can read stays as typed: the server then says what is wrong with it. */
    input.addEventListener("blur", () => {
      const typed = input.value;
      if (typed && !parseDate(typed)) setTimeout(() => { if (!input.value) input.value = typed; }, 0);
    }, true);
    flatpickr(input, {
      allowInput: true,
      disableMobile: true,
      enableTime: time,
      time_24hr: true,
      minuteIncrement: 1,
      dateFormat: time ? "Y-m-d H:i" : "Y-m-d",
      locale: flatpickr.l10ns[calendars[language]] || "default",
      parseDate,
      errorHandler: () => {},
    });
  }

  /* Fields that are asked only for some answers to another one. What is hidden is not sent. */
  function followConditions(root) {
    all("[data-when]:not(input):not(select):not(textarea)", root).forEach((holder) => {
      const form = holder.closest("form");
      const inner = holder.querySelector("[name]");
      if (!form || !inner) return;
      const prefix = inner.name.includes("-") ? inner.name.slice(0, inner.name.lastIndexOf("-") + 1) : "";
      const name = prefix + holder.dataset.when;
      const among = holder.dataset.among.split(" ");
      const show = () => {
        const others = all(`[name="${CSS.escape(name)}"]`, form);
        const answers = others.filter((one) => !["radio", "checkbox"].includes(one.type) || one.checked).map((one) => (one.type === "checkbox" ? "yes" : one.value));
        const asked = (answers.length ? answers : ["no"]).some((answer) => among.includes(answer));
        holder.hidden = !asked;
        all("input, select, textarea", holder).forEach((field) => {
          field.disabled = !asked;
          if (field.tomselect) { if (asked) field.tomselect.enable(); else field.tomselect.disable(); }
        });
      };
      form.addEventListener("change", show);
      show();
    });
  }

  function enhance(root) {
    if (window.TomSelect) all("select.form-select", root).forEach(enhanceSelect);
    if (window.flatpickr) all("[data-picker]", root).forEach(enhanceDate);
    followConditions(root);
  }

  const fieldsOf = (root) => all("input, textarea, select", root).filter((field) => field.name && !["hidden", "submit", "button"].includes(field.type) && field.name !== "csrf_token");

  function focusField(field) {
    if (field.tomselect) field.tomselect.control_input.focus();
    else field.focus();
  }

  function focusFirst(root) {
    const fields = fieldsOf(root).filter((field) => !field.disabled && (field.tomselect || field.offsetParent));
    const isEmpty = (field) => field.type === "radio"
      ? !root.querySelector(`input[name="${CSS.escape(field.name)}"]:checked`)
      : field.type !== "checkbox" && !field.value;
    const field = fields.find(isEmpty) || fields[0];
    if (field) focusField(field);
  }

  /* ---------- Transitions open in place ---------- */
  function openPanel(panel, focus = true) {
    all(".transition.open").forEach((other) => other.classList.remove("open"));
    panel.classList.add("open");
    if (!focus) return;
    panel.scrollIntoView({ block: "nearest" });
    const summary = panel.querySelector(".error-summary");
    if (summary) summary.focus(); else focusFirst(panel);
  }
  all("[data-opens]").forEach((link) => link.addEventListener("click", (event) => {
    const panel = document.getElementById(link.dataset.opens);
    if (!panel) return;
    event.preventDefault();
    openPanel(panel);
  }));
  all("[data-closes]").forEach((link) => link.addEventListener("click", (event) => {
    const panel = link.closest(".transition");
    if (!panel) return;
    event.preventDefault();
    panel.classList.remove("open");
    const opener = document.querySelector(`[data-opens="${panel.id}"]`);
    (opener?.closest("details.menu")?.querySelector("summary") || opener)?.focus();
  }));

  /* ---------- Forms: required fields, one sending, confirmation, drafts, leaving ---------- */
  let sending = false;
  const touched = new Set();

  function missing(form) {
    const names = new Set();
    return fieldsOf(form).filter((field) => {
      const holder = field.closest("fieldset[data-required]");
      if (holder) {
        if (names.has(holder.id)) return false;
        names.add(holder.id);
        return !holder.querySelector("input:checked");
      }
      return field.required && field.type !== "checkbox" && !field.disabled && (field.multiple ? !field.value : !field.value.trim() || field.value === "__None");
    });
  }

  function complain(field) {
    const holder = field.closest(".field");
    if (!holder || holder.querySelector(".field-error")) return;
    const error = document.createElement("p");
    error.className = "field-error";
    error.id = `${field.id}-missing`;
    error.textContent = words.required;
    holder.classList.add("has-error");
    const control = field.tomselect?.control_input || field;
    const described = control.getAttribute("aria-describedby");
    control.setAttribute("aria-invalid", "true");
    /* Read out with the field: few screen readers know aria-errormessage. */
    control.setAttribute("aria-describedby", [error.id, described].filter(Boolean).join(" "));
    const help = holder.querySelector(".field-help");
    if (help) help.before(error); else holder.append(error);
    const clear = () => {
      error.remove();
      holder.classList.remove("has-error");
      control.removeAttribute("aria-invalid");
      if (described) control.setAttribute("aria-describedby", described); else control.removeAttribute("aria-describedby");
    };
    holder.addEventListener("input", clear, { once: true });
    holder.addEventListener("change", clear, { once: true });
  }

  const dialog = document.querySelector("dialog.confirm");
  function confirmThen(form, submitter, question) {
    dialog.querySelector("p").textContent = question;
    const [, yes] = all("button", dialog);
    yes.textContent = submitter.textContent.trim();
    const answer = (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      dialog.removeEventListener("click", answer);
      dialog.close();
      if (button.value) { form.dataset.confirmed = "yes"; form.requestSubmit(submitter); }
    };
    dialog.addEventListener("click", answer);
    dialog.addEventListener("cancel", () => dialog.removeEventListener("click", answer), { once: true });
    dialog.showModal();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const submitter = event.submitter || form.querySelector("[type=submit]");
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method.toLowerCase() !== "post") return;
    /* A draft may be incomplete; only the step that sends it asks for everything. */
    const draft = form.querySelector("[type=submit][name=then]") && submitter?.name !== "then";
    const gaps = form.noValidate && !draft ? missing(form) : [];
    if (gaps.length) {
      event.preventDefault();
      gaps.forEach(complain);
      focusField(gaps[0]);
      return;
    }
    const question = submitter?.dataset.confirm || form.dataset.confirm;
    if (question && !form.dataset.confirmed) {
      event.preventDefault();
      confirmThen(form, submitter, question);
      return;
    }
    delete form.dataset.confirmed;
    /* A file to save leaves the page as it is. */
    if (submitter?.hasAttribute("data-saves")) return;
    form.dataset.sent = "yes";
    sending = true;
    if (form.dataset.autosave) markSent(form);
    /* After the browser has read the form, else the pressed button's own value would be lost. */
    setTimeout(() => all("[type=submit]", form).forEach((button) => { button.disabled = true; }), 0);
  });

  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sending = false;
    all("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      all("[type=submit]", form).forEach((button) => { button.disabled = false; });
    });
  });

  addEventListener("beforeunload", (event) => {
    if (!sending && touched.size) event.preventDefault();
  });
  all("[data-leave]").forEach((link) => link.addEventListener("click", (event) => {
    if (touched.size && !confirm(words.leave)) event.preventDefault();
    else touched.clear();
  }));

  /* Drafts. One is dropped when the page reached after sending is another than the form, so an expired session or a failing line loses nothing. */
  const draftPrefix = "huying:draft:";
  const draftDays = 7;
  const readDraft = (key) => { try { return JSON.parse(store.get(key)); } catch { return null; } };

  function markSent(form) {
    const key = draftPrefix + form.dataset.autosave;
    const draft = readDraft(key);
    if (draft) store.set(key, JSON.stringify({ ...draft, sent: location.pathname }));
  }

  store.keys().filter((key) => key.startsWith(draftPrefix)).forEach((key) => {
    const draft = readDraft(key);
    const old = !draft || Date.now() - draft.at > draftDays * 86400000;
    const here = all("form[data-autosave]").some((form) => draftPrefix + form.dataset.autosave === key);
    const from = document.referrer ? new URL(document.referrer).pathname : "";
    const accepted = draft?.sent && !here && !document.querySelector(".error-page") && document.body.classList.contains("framed") && from === draft.sent;
    if (old || accepted) store.remove(key);
  });

  function valuesOf(form) {
    const values = {};
    fieldsOf(form).filter((field) => !["password", "file"].includes(field.type)).forEach((field) => {
      const kept = values[field.name] ||= [];
      if (field.type === "checkbox" || field.type === "radio") { if (field.checked) kept.push(field.value); }
      else if (field.multiple) [...field.selectedOptions].forEach((option) => kept.push([option.value, option.text]));
      else if (field.tagName === "SELECT") kept.push([field.value, field.selectedOptions[0]?.text ?? ""]);
      else kept.push(field.value);
    });
    return values;
  }

  function applyValues(form, values) {
    const seen = {};
    fieldsOf(form).forEach((field) => {
      const kept = values[field.name];
      if (!kept || ["password", "file"].includes(field.type)) return;
      if (field.type === "checkbox" || field.type === "radio") { field.checked = kept.includes(field.value); return; }
      if (field.tagName === "SELECT") {
        const chosen = kept.filter(([value]) => value !== "");
        chosen.forEach(([value, text]) => field.tomselect?.addOption({ value, text }));
        if (field.tomselect) field.tomselect.setValue(chosen.map(([value]) => value), true);
        else [...field.options].forEach((option) => { option.selected = kept.some(([value]) => value === option.value); });
        return;
      }
      const index = seen[field.name] = (seen[field.name] ?? -1) + 1;
      if (kept[index] !== undefined) { field.value = kept[index]; field._flatpickr?.setDate(kept[index], false); }
    });
  }

  function keepDraft(form) {
    const key = draftPrefix + form.dataset.autosave;
    const initial = JSON.stringify(valuesOf(form));
    const draft = readDraft(key);
    const shownWithErrors = document.querySelector(".error-summary, .conflict");
    if (draft && !shownWithErrors && JSON.stringify(draft.values) !== initial) {
      applyValues(form, draft.values);
      touched.add(form);
      const note = document.createElement("div");
      note.className = "alert-box alert-info draft-note";
      note.setAttribute("role", "status");
      const text = document.createElement("p");
      text.textContent = fill(words.restored, { time: new Date(draft.at).toLocaleString(language, { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }) });
      const discard = document.createElement("button");
      discard.type = "button";
      discard.className = "btn";
      discard.textContent = words.discard;
      discard.addEventListener("click", () => { store.remove(key); touched.clear(); location.reload(); });
      note.append(text, discard);
      form.before(note);
    }
    let timer;
    const save = () => {
      clearTimeout(timer);
      timer = setTimeout(() => { if (!sending) store.set(key, JSON.stringify({ at: Date.now(), values: valuesOf(form) })); }, 500);
    };
    form.addEventListener("input", save);
    form.addEventListener("change", save);
  }

  /* ---------- Progress of a job; the page has a link that does the same ---------- */
  all("[data-progress]").forEach((box) => {
    const bar = box.querySelector("progress"), label = box.querySelector("[data-progress-label]");
    const ask = async () => {
      try {
        const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
        if (!answer.ok) return;
        const told = await answer.json();
        if (!told.under_way) { location.reload(); return; }
        bar.value = told.percent;
        label.textContent = told.label;
      } catch { /* asked again below */ }
      setTimeout(ask, 2000);
    };
    setTimeout(ask, 1000);
  });

  enhance(document);
  all("form[data-guard]").forEach((form) => {
    const touch = (event) => { if (event.isTrusted || event.target.tomselect) touched.add(form); };
    form.addEventListener("input", touch);
    form.addEventListener("change", touch);
  });
  all("form[data-autosave]").forEach(keepDraft);

  /* ---------- Calls like the one being written ---------- */
  all("[data-similar]").forEach((input) => {
    const box = document.createElement("div");
    box.className = "similar";
    box.setAttribute("aria-live", "polite");
    box.hidden = true;
    input.after(box);
    let timer = 0, last = "";
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const title = input.value.trim();
        if (title === last) return;
        last = title;
        const address = new URL(input.dataset.similar, location.origin);
        address.searchParams.set("title", title);
        const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
        if (title !== last) return;
        const calls = answer?.ok ? await answer.json() : [];
        box.replaceChildren();
        box.hidden = !calls.length;
        if (!calls.length) return;
        const head = document.createElement("p"), list = document.createElement("ul");
        head.textContent = input.dataset.similarTitle;
        calls.forEach((call) => {
          const item = document.createElement("li"), link = document.createElement("a");
          link.href = call.url;
          link.target = "_blank";
          link.rel = "noopener";
          link.textContent = `${call.title} · ${call.state}`;
          item.append(link);
          list.append(item);
        });
        box.append(head, list);
      }, 300);
    });
  });

  /* ---------- Canned texts in the long fields of steps ---------- */
  let canned = null;
  const cannedTexts = (address) => (canned ??= fetch(address, { credentials: "same-origin" }).then((answer) => (answer.ok ? answer.json() : [])).catch(() => []));
  const insertAt = (area, text) => {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  all("form[data-canned]").forEach((form) => all("textarea", form).forEach((area) => {
    const menu = document.createElement("details"), head = document.createElement("summary");
    menu.className = "canned";
    head.textContent = form.dataset.cannedTitle;
    menu.append(head);
    area.before(menu);
    menu.addEventListener("toggle", async () => {
      if (!menu.open || menu.children.length > 1) return;
      const texts = await cannedTexts(form.dataset.canned);
      if (!texts.length) {
        const none = document.createElement("p");
        none.className = "hint";
        none.textContent = form.dataset.cannedNone;
        menu.append(none);
      }
      texts.forEach((one) => {
        const choice = document.createElement("button");
        choice.type = "button";
        choice.textContent = one.name;
        choice.title = one.text;
        choice.addEventListener("click", () => { menu.open = false; insertAt(area, one.text); });
        menu.append(choice);
      });
    });
  }));

  const returned = document.querySelector(".transition.open");
  const aimed = document.getElementById(location.hash.slice(1));
  if (returned) openPanel(returned);
  else if (aimed?.classList.contains("transition")) openPanel(aimed);
  else document.querySelector(".error-summary, .conflict")?.focus();
  document.querySelector(".plain-card form input:not([type=hidden])")?.focus();
})();
