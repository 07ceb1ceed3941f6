import Link from "next/link";
import Counter from "./counter";

export default function Page() {
  return (
    <main>
      <h1>Shop</h1>
      <Counter start={3} />
      <Link href="/about">About</Link>
    </main>
  );
}
