// A page that belongs to a hearing but is not its live page: who reads or writes here is not lost.
(() => {
  "use strict";
  const { presence } = document.querySelector("[data-presence]").dataset;
  const socket = io({ transports: ["websocket"], reconnectionDelayMax: 5000, randomizationFactor: 0.7 });
  socket.on("connect", () => socket.emit("join", { hearing: presence }));
  setInterval(() => socket.connected && socket.emit("ping"), 60000);
})();
