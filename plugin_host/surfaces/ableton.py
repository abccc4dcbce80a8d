"""A page on Ableton Live, and the recipe of a Max for Live device. Both for people to read."""

from __future__ import annotations

from plugin_host.surfaces.plan import Plan, Target, full_title

_THEIRS, _THEIR_ANSWERS = 11_000, 11_001  # AbletonOSC's ports


def max_for_live(plan: Plan, target: Target) -> str:
    """Returns the recipe."""
    parameters = ", ".join(
        full_title(strip, control) for strip in plan.strips for control in strip.controls
    )
    return f"""A Max for Live device from stemwire.maxpat

1. stemwire serve --osc-reply-port {target.reply_port}
2. In Live, drag "Max Audio Effect" from the browser onto a track, and press its edit button.
3. In Max, open stemwire.maxpat, select all, copy; paste into the device's window. Leave [plugin~]
   and [plugout~] connected as they are: the device passes its sound on unchanged.
4. View > Inspector > Patcher: "Open in Presentation" on.
5. File > Save As > Stemwire.amxd. Close the editor: the faders stand in Live.

Each of these is a parameter of Live, to be automated, mapped to MIDI and to macros:
{parameters}.

It sends to {target.host}:{target.port} and listens at {target.reply_port}. One device in a set is
enough: a second one cannot listen at the same port, and shows nothing.
"""


def ableton_page(plan: Plan, target: Target) -> str:
    """Returns the page."""
    rows = "\n".join(
        f"| `{address.path}` | {address.tags} | {address.meaning} |"
        for address in plan.table
        if address.kind == "control"
    )
    return f"""# Stemwire and Ableton Live

Three ways, from the least work to the most:

- **MIDI map.** `stemwire serve --midi` learns any controller, and Live's tracks can send to the
  same port: a MIDI track with an empty clip and automation of its controllers turns stems.
- **Max for Live.** [stemwire-m4l.txt](stemwire-m4l.txt) makes a device out of
  [stemwire.maxpat](stemwire.maxpat) in five steps; its faders are parameters of Live.
- **AbletonOSC.** It listens at port {_THEIRS} and answers at {_THEIR_ANSWERS}. Stemwire leaves both
  alone and listens at {target.port}, so they run side by side. A script between them, with any OSC
  library, makes a fader of Live turn a stem:

      /live/track/start_listen/volume 0     to {_THEIRS}: tell me of the first track's fader
      /live/track/get/volume 0 <0 to 1>     comes to {_THEIR_ANSWERS} whenever it moves
      {plan.strips[0].fader.path.removesuffix("_db")} <0 to 4>     to {target.port}

Sound goes to Live and comes back through JACK, a virtual cable or the plugin; OSC carries none.

## What can be turned

| address | type | meaning |
| --- | --- | --- |
{rows}
"""
