import { expect, test, vi } from "vitest";
import { count, shown } from "./basket";

test("what is no number is refused", () => {
  expect(count('{"apples": 3}')).toBe(3);
  expect(() => count('{"apples": "x"}')).toThrow();
});

test("it is shown in a document", () => {
  document.body.innerHTML = shown('{"apples": 2}');
  expect(document.querySelector("b")?.textContent).toBe("2");
  expect(vi.fn(() => 1)()).toBe(1);
});
