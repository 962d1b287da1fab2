import { useState } from 'react';

const suggestions = ['A Pattern Language', 'The Timeless Way of Building', 'How Buildings Learn'];

export default function App() {
  const [read, setRead] = useState([]);
  const toggle = (book) => setRead(read.includes(book) ? read.filter((each) => each !== book) : [...read, book]);
  return (
    <main>
      <h1>Reading list</h1>
      <ul>
        {suggestions.map((book) => (
          <li key={book}>
            <label>
              <input type="checkbox" checked={read.includes(book)} onChange={() => toggle(book)} /> {book}
            </label>
          </li>
        ))}
      </ul>
      <p>
        {read.length} of {suggestions.length} read
      </p>
    </main>
  );
}
