import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import "./style.css";

function Counter({ start }: { start: number }) {
  const [count, setCount] = useState(start);
  return <button onClick={() => setCount(count + 1)}>{count}</button>;
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Counter start={3} />
  </StrictMode>,
);
