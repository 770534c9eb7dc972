// Passkeys. Where a browser has none, or at an address that cannot have any, their forms stay hidden and the other ways work.
(() => {
  "use strict";
  const able = Boolean(window.PublicKeyCredential && window.isSecureContext && navigator.credentials);
  const raw = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (mark) => mark.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list = []) => list.map((one) => ({ ...one, id: raw(one.id) }));

  // What the server says in JSON, as the browser wants it; and back. Newer browsers could do it themselves.
  const creation = (said) => ({
    ...said,
    challenge: raw(said.challenge),
    user: { ...said.user, id: raw(said.user.id) },
    excludeCredentials: named(said.excludeCredentials),
  });
  const request = (said) => ({ ...said, challenge: raw(said.challenge), allowCredentials: named(said.allowCredentials) });
  const plain = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} };
  };

  const answered = async (form) => {
    const answer = await fetch(form.dataset.challenge, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const { token, publicKey } = await answer.json();
    const credential = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: creation(publicKey) })
      : await navigator.credentials.get({ publicKey: request(publicKey) });
    return JSON.stringify({ token, credential: plain(credential) });
  };

  const why = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "held" };
  const ask = async (form) => {
    if (form.getAttribute("aria-busy") === "true") return;
    const label = form.querySelector("button[type=submit] span");
    const words = label.textContent;
    const told = form.querySelector("[data-message]");
    form.setAttribute("aria-busy", "true");
    label.textContent = form.dataset.busy;
    told.textContent = "";
    try {
      form.elements[form.dataset.field].value = await answered(form);
      HTMLFormElement.prototype.submit.call(form);
    } catch (problem) {
      told.textContent = form.dataset[why[problem.name] || "failed"];
      form.removeAttribute("aria-busy");
      label.textContent = words;
    }
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const here = location.hostname === form.dataset.host;
    form.hidden = !(able && here);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
  // Gone back to, a page would still be busy with an answer that holds once.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  for (const note of document.querySelectorAll("[data-passkey-elsewhere]")) {
    note.hidden = location.hostname === note.dataset.passkeyElsewhere;
  }
  for (const between of document.querySelectorAll("[data-passkey-or]")) {
    between.hidden = !document.querySelector("form[data-passkey]:not([hidden])");
  }
})();
