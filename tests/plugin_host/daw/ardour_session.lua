-- Makes a session with one track and the plugin on it: SESSION, KIND (LV2 or VST3), ID, GAIN.

AudioEngine:set_backend("None (Dummy)", "", "")
local session = create_session(os.getenv("SESSION"), "song", 44100)
assert(session, "no session")
local kinds = { LV2 = ARDOUR.PluginType.LV2, VST3 = ARDOUR.PluginType.VST3 }
local tracks = session:new_audio_track(
    2, 2, nil, 1, "song", ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
for track in tracks:iter() do
    track:set_strict_io(true) -- the main bus alone
    local plugin = ARDOUR.LuaAPI.new_plugin(
        session, os.getenv("ID"), kinds[os.getenv("KIND")], "")
    assert(not plugin:isnil(), "no plugin")
    track:add_processor_by_index(plugin, 0, nil, true)
    -- The gain of the drums is the first parameter; of the VST3 the second, behind DPF's latency.
    local which = os.getenv("KIND") == "VST3" and 1 or 0
    assert(ARDOUR.LuaAPI.set_processor_param(plugin, which, tonumber(os.getenv("GAIN"))))
end
session:save_state("song", false, false, false, false, false)
close_session()
quit()
