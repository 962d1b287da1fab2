export const articles = [
  {
    id: 'reset-password',
    keys: 'password reset forgot forgotten',
    answer: "Choose \"Forgot password\" on the sign-in page; we mail you a link that is valid for 30 minutes.",
  },
  {
    id: 'change-email',
    keys: 'email mail address change update',
    answer: "Open Settings, then Profile, and enter the new e-mail address; confirm it from the mail we send there.",
  },
  {
    id: 'two-factor',
    keys: 'two factor authentication authenticator phone code',
    answer: "Open Settings, then Security, and scan the code with an authenticator app; keep the recovery codes safe.",
  },
  {
    id: 'refund-window',
    keys: 'refund money return',
    answer: "You can return an order within 30 days; the money is back within 5 working days.",
  },
  {
    id: 'shipping-time',
    keys: 'delivery deliver shipping ship arrive parcel',
    answer: "Orders ship the same day before noon and arrive in 2 to 3 working days.",
  },
  {
    id: 'shipping-cost',
    keys: 'cost price shipping fee free',
    answer: "Shipping is free above 50 euros; below that it costs 4.90 euros.",
  },
  {
    id: 'track-order',
    keys: 'track tracking order number follow',
    answer: "Open Orders and choose Track; the tracking number is also in the mail about the shipment.",
  },
  {
    id: 'cancel-order',
    keys: 'cancel order',
    answer: "Open Orders and choose Cancel; this works until the order has left our warehouse.",
  },
  {
    id: 'invoice-copy',
    keys: 'invoice invoices bill receipt download',
    answer: "Open Billing and choose Invoices; each invoice can be downloaded as a PDF.",
  },
  {
    id: 'payment-methods',
    keys: 'payment pay card paypal method',
    answer: "We accept cards, PayPal and bank transfer.",
  },
  {
    id: 'failed-payment',
    keys: 'payment declined failed rejected card',
    answer: "Check the card's limit and expiry date, then choose Pay again under Billing.",
  },
  {
    id: 'change-plan',
    keys: 'plan upgrade downgrade switch',
    answer: "Open Billing and choose Change plan; the new plan starts at once and is charged by the day.",
  },
  {
    id: 'cancel-subscription',
    keys: 'cancel subscription end terminate',
    answer: "Open Billing and choose End subscription; you keep access until the period ends.",
  },
  {
    id: 'add-colleague',
    keys: 'colleague colleagues invite team member user add',
    answer: "Open Team and choose Invite; the colleague gets a mail with a link.",
  },
  {
    id: 'remove-colleague',
    keys: 'remove colleague access left revoke',
    answer: "Open Team, choose the person and then Remove; access ends at once.",
  },
  {
    id: 'export-data',
    keys: 'export data csv copy',
    answer: "Open Settings and choose Export; you get a CSV file by mail within an hour.",
  },
  {
    id: 'delete-account',
    keys: 'delete account close erase',
    answer: "Open Settings and choose Delete account; all data is gone after 14 days.",
  },
  {
    id: 'opening-hours',
    keys: 'hours open weekend reach support',
    answer: "Support answers Monday to Friday from 8 to 18 o'clock.",
  },
  {
    id: 'warranty',
    keys: 'warranty guarantee repair broken defect',
    answer: "Every product has a warranty of 2 years; broken ones are repaired or replaced.",
  },
  {
    id: 'damaged-parcel',
    keys: 'damaged damage parcel arrived crushed',
    answer: "Take a photo and choose Report damage under Orders; we send a new one at once.",
  },
];
