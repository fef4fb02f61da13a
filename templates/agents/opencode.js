// patina's doorbell: says that a session came to rest, and waits for nothing.
export const Patina = async ({ $, directory }) => ({
  event: async ({ event }) => {
    if (event.type !== "session.idle") return
    const rung = JSON.stringify({ cwd: directory, hook_event_name: event.type })
    await $`echo ${rung} | sh -c ${"@COMMAND@"}`.quiet().nothrow()
  },
})
