"use strict";
const faces = document.querySelector(".comparing");
faces.addEventListener("input", ({ target }) => {
  if (target.type === "range") target.parentElement.style.setProperty("--at", `${target.value}%`);
  else faces.style.setProperty(`--${target.name}`, `var(--row-${target.value})`);
});
