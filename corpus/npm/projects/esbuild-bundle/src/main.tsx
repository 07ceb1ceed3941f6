import { createRoot } from "react-dom/client";
import { of } from "rxjs";
import { map } from "rxjs/operators";
import * as React from "react";

of(1, 2)
  .pipe(map((count) => count + 1))
  .subscribe((count) => createRoot(document.body).render(<p>{count} in the basket</p>));
