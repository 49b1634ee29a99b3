// A client of Audian's API with axios. Only BASE_URL differs.
const assert = require('node:assert');
const axios = require('axios');

const url = `${process.env.BASE_URL}/conferences/conf_axios/participants`;
const options = {
  headers: { Authorization: 'Bearer my-api-key', 'Content-Type': 'application/json' },
};

const people = [
  { phone: '+12025550144', name: 'Linus', role: 'presenter' },
  { phone: '+12025550145', name: 'Margaret' },
];

async function main() {
  const added = [];
  for (const { phone, name, role = 'listener' } of people) {
    const response = await axios.post(url, { phone_number: phone, name, role }, options);
    assert.strictEqual(response.status, 200);
    assert.strictEqual(response.data.name, name);
    added.push(response.data);
  }

  const { data } = await axios.get(url, options);
  assert.strictEqual(data.total, added.length);
  assert.ok(data.participants.some((p) => p.id === added[0].id));

  const [first] = added;
  const muted = await axios.post(`${url}/${first.id}/mute`, {}, options);
  assert.strictEqual(muted.data.muted, true);
  const unmuted = await axios.post(`${url}/${first.id}/unmute`, undefined, options);
  assert.strictEqual(unmuted.data.muted, false);

  const removed = await axios.delete(`${url}/${added[0].id}`, options);
  assert.strictEqual(removed.status, 204);
}

main().catch((error) => {
  console.error(error.message, error.response && error.response.data);
  process.exit(1);
});
