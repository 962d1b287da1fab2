const plants = [
  { name: 'Monstera', everyDays: 7 },
  { name: 'Cactus', everyDays: 21 },
];

export default function App() {
  return (
    <main>
      <h1>Plant watering planner</h1>
      {plants.map(({ name, everyDays }) => (
        <p key={name}>
          {name}: every {everyDays} days
        </p>
      ))}
    </main>
  );
}
