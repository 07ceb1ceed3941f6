import { sum } from "lodash-es";
import { createRoot } from "react-dom/client";
import "./style.css";

createRoot(document.body).render(<p>{sum([1, 2])} in the basket</p>);
import("./later.jsx").then((later) => later.default());
