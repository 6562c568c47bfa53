import { expect, test } from "vitest";
import { changed, DEFAULTS, parseSettings } from "../src/settings/settings.ts";

test.each([null, "", "no json", "3", "null", "[]", "{}"])("%j gives the defaults", (text) => {
  expect(parseSettings(text)).toEqual(DEFAULTS);
});

test("what is kept comes back", () => {
  const mine = { ...DEFAULTS, theme: "dark", fontSize: 20, copyOnSelect: true, localEcho: "off" } as const;
  expect(parseSettings(JSON.stringify(mine))).toEqual(mine);
});

test("one that is not valid costs only itself", () => {
  expect(parseSettings('{"theme":"pink","fontSize":"big","copyOnSelect":1,"screenReader":true,"old":1}')).toEqual({
    ...DEFAULTS,
    screenReader: true,
  });
});

test("numbers are kept within their range", () => {
  expect(parseSettings('{"fontSize":1000,"scrollback":-1}')).toMatchObject({ fontSize: 40, scrollback: 0 });
  expect(changed(DEFAULTS, { fontSize: 12.4 }).fontSize).toBe(12);
});

test("a change that can't be leaves the setting as it was", () => {
  const mine = changed(DEFAULTS, { fontSize: 20 });
  expect(changed(mine, { fontSize: Number.NaN, theme: "" })).toEqual(mine);
});
