export default function About() {
  return <p>About the shop</p>;
}
