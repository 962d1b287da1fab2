const tickets = [
  { id: 1001, subject: 'Parcel arrived damaged', status: 'open', customer: 'Ada' },
  { id: 1002, subject: 'Invoice shows the wrong company', status: 'open', customer: 'Bram' },
  { id: 1003, subject: 'Cannot log in after moving phones', status: 'open', customer: 'Chidi' },
  { id: 1004, subject: 'Refund has not arrived', status: 'waiting', customer: 'Dewi' },
  { id: 1005, subject: 'Wants to add a colleague', status: 'open', customer: 'Emil' },
];

export function openTickets() {
  return tickets.map(({ id, subject, status }) => ({ id, subject, status }));
}

// Answers may refer to a ticket.
export function describeTicket(ticketId) {
  const ticket = tickets.find((each) => each.id === ticketId);
  return { id: ticket.id, subject: ticket.subject, status: ticket.status };
}
