import "@testing-library/jest-dom";
import { fireEvent, render, screen } from "@testing-library/react";
import Basket from "./basket";

jest.mock("react-dom", () => jest.requireActual("react-dom"));

test("a click puts one more into the basket", () => {
  render(<Basket start={3} />);
  fireEvent.click(screen.getByRole("button"));
  expect(screen.getByRole("button")).toHaveTextContent("4");
});

test("what it looks like", () => {
  const { container } = render(<Basket start={1} />);
  expect(container).toMatchInlineSnapshot(`
<div>
  <button>
    1
  </button>
</div>
`);
});
