// A peer that shares no code with Starfish: js-libp2p with gossipsub, as a guest.
//
//   node peer.mjs MULTIADDR TOPIC [SECONDS]
//
// It dials MULTIADDR (which must end in /p2p/ID) over TCP with TLS 1.3 and yamux, completes identify, subscribes to TOPIC
// with the anonymous signature policy, and waits for one message. Standard output carries one JSON document and nothing
// else: {"identified":true,"agent":...,"protocols":[...],"received_bytes":n,"message":"hex"} with exit code 0, or
// {"identified":...,"reason":"..."} with exit code 1. Progress goes to standard error.

// js-libp2p calls Promise.withResolvers, which Debian's node 20 does not have yet; it must exist before the imports run.
Promise.withResolvers ??= function () {
  const parts = {}
  parts.promise = new this((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { tls } = await import('@libp2p/tls')
const { yamux } = await import('@libp2p/yamux')
const { identify } = await import('@libp2p/identify')
const { gossipsub } = await import('@libp2p/gossipsub')
const { multiaddr } = await import('@multiformats/multiaddr')

const [address, topic, seconds = '60'] = process.argv.slice(2)
if (address === undefined || topic === undefined || !(Number(seconds) > 0)) {
  console.error('usage: node peer.mjs MULTIADDR TOPIC [SECONDS]')
  process.exit(2)
}

const seen = { identified: false }
const progress = (text) => console.error(`jspeer: ${text}`)

/** Prints the one document and ends; nothing is awaited, because an unwilling peer must not be able to hold the test. */
function finish (code, more) {
  process.stdout.write(`${JSON.stringify({ ...seen, ...more })}\n`, () => process.exit(code))
}

/** A promise that fails after the deadline, so that each wait says which step did not happen. */
const deadline = Date.now() + Number(seconds) * 1000
function within (what, promise) {
  const late = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no ${what} within ${seconds} s`)), Math.max(0, deadline - Date.now()))
  })
  return Promise.race([promise, late])
}

async function main () {
  const node = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
    services: {
      identify: identify({ agentVersion: 'starfish-jspeer' }),
      // Anonymous: no author, sequence number or signature of libp2p's own; Starfish signs what is inside.
      pubsub: gossipsub({ globalSignaturePolicy: 'StrictNoSign', emitSelf: false, allowPublishToZeroTopicPeers: true })
    }
  })

  const identified = new Promise((resolve) => {
    node.addEventListener('peer:identify', (event) => resolve(event.detail), { once: true })
  })
  const received = new Promise((resolve) => {
    node.services.pubsub.addEventListener('message', (event) => {
      if (event.detail.topic === topic) resolve(event.detail)
    })
  })
  node.addEventListener('peer:disconnect', (event) => progress(`disconnected from ${event.detail}`))

  node.services.pubsub.subscribe(topic)
  const connection = await within('connection', node.dial(multiaddr(address)))
  progress(`connected to ${connection.remotePeer} with ${connection.encryption} and ${connection.multiplexer}`)
  seen.encryption = connection.encryption
  seen.multiplexer = connection.multiplexer

  const answer = await within('identify', identified)
  seen.identified = true
  seen.agent = answer.agentVersion ?? null
  seen.protocols = answer.protocols
  progress(`identified: ${seen.agent}, ${answer.protocols.join(' ')}`)

  const message = await within('message', received)
  seen.gossip = connection.streams.map((stream) => stream.protocol).find((name) => name.startsWith('/meshsub/')) ?? null
  progress(`received ${message.data.length} bytes of type ${message.type}`)
  finish(0, { type: message.type, received_bytes: message.data.length, message: Buffer.from(message.data).toString('hex') })
}

main().catch((error) => finish(1, { reason: `${error.name}: ${error.message}` }))
