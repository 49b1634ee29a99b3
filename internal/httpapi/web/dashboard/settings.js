// What a person chooses for this browser: the colours, the wall mode, and whether the token is kept.

import { byID } from "./dom.js";

const tokenKey = "participant-gateway-token";
const themeKey = "participant-gateway-theme";

/** Returns the token that was kept for this tab, or "". */
export function keptToken() {
  return sessionStorage.getItem(tokenKey) ?? "";
}

/** Keeps the token until the tab is closed, or forgets it. */
export function keepToken(token, keep) {
  if (keep && token) sessionStorage.setItem(tokenKey, token);
  else sessionStorage.removeItem(tokenKey);
}

/** Connects the choice of colours and the wall mode. `onChange` is called after each change. */
export function connectSettings(onChange) {
  const theme = byID("theme");
  theme.value = localStorage.getItem(themeKey) ?? "system";
  const apply = () => {
    document.documentElement.dataset.theme = theme.value;
    onChange();
  };
  theme.addEventListener("change", () => {
    localStorage.setItem(themeKey, theme.value);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  const setWall = (on) => {
    document.documentElement.toggleAttribute("data-wall", on);
    byID("wall").setAttribute("aria-pressed", on);
    setParameter("wall", on ? "1" : null);
    onChange();
  };
  const isWall = () => document.documentElement.hasAttribute("data-wall");
  byID("wall").addEventListener("click", () => setWall(!isWall()));
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && isWall()) setWall(false);
  });
  setWall(new URLSearchParams(location.search).has("wall"));
  apply();
}

/** Sets a parameter of the page's address, or removes it for null. */
export function setParameter(name, value) {
  const address = new URL(location.href);
  if (value === null) address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  history.replaceState(null, "", address);
}
