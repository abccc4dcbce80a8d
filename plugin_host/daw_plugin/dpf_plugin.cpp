// The plugin as DPF wants it, for VST3 and CLAP.

#include "DistrhoPlugin.hpp"
#include "instance.hpp"

static_assert(stemwire::kInputs == DISTRHO_PLUGIN_NUM_INPUTS);
static_assert(stemwire::kOutputs == DISTRHO_PLUGIN_NUM_OUTPUTS);
static_assert(stemwire::kParameters[stemwire::kBypass].slot == stemwire::kBypass);

START_NAMESPACE_DISTRHO

class StemwirePlugin : public Plugin {
public:
    StemwirePlugin() : Plugin(stemwire::kParameterCount, 0, 0) { prepare(); }

protected:
    const char* getLabel() const override { return "stemwire"; }
    const char* getDescription() const override {
        return "Separates music into stems while it plays.";
    }
    const char* getMaker() const override { return "Stemwire"; }
    const char* getLicense() const override { return "MIT"; }
    uint32_t getVersion() const override { return d_version(0, 1, 0); }
    int64_t getUniqueId() const override { return d_cconst('S', 't', 'm', 'w'); }

    // A bus for the input, one for the mix, and one for each stem, which hosts may leave unused.
    void initAudioPort(bool input, uint32_t index, AudioPort& port) override {
        const uint32_t bus = index / stemwire::kChannels;
        port.groupId = input ? kInputGroup : bus;
        if (bus > 0) port.hints |= kAudioPortIsSidechain;  // "auxiliary", in its VST3
        port.name = String(bus > 0 ? stemwire::kStemNames[bus - 1] : input ? "In" : "Mix");
        port.name += index % 2 == 0 ? " left" : " right";
        port.symbol = port.name;
        port.symbol.toLower().toBasic();
    }

    void initPortGroup(uint32_t group, PortGroup& port_group) override {
        const bool is_stem = 1 <= group && group <= stemwire::kStems;
        port_group.name = is_stem ? stemwire::kStemNames[group - 1] : group == 0 ? "Mix" : "In";
        port_group.symbol = port_group.name;
        port_group.symbol.toLower().toBasic();
    }

    void initParameter(uint32_t index, Parameter& parameter) override {
        const stemwire::Parameter& about = stemwire::kParameters[index];
        if (index == stemwire::kBypass) {
            parameter.initDesignation(kParameterDesignationBypass);
            return;
        }
        parameter.name = about.name;
        parameter.symbol = about.symbol;
        parameter.description = about.meaning;
        parameter.ranges.min = about.minimum;
        parameter.ranges.max = about.maximum;
        parameter.ranges.def = about.initial;
        if (about.stem >= 0) parameter.groupId = static_cast<uint32_t>(about.stem + 1);
        switch (about.kind) {
            case stemwire::Kind::Value: parameter.hints = kParameterIsAutomatable; break;
            case stemwire::Kind::Switch:
                parameter.hints = kParameterIsAutomatable | kParameterIsBoolean;
                break;
            case stemwire::Kind::Output:
                parameter.hints = kParameterIsOutput | kParameterIsInteger;
                break;
        }
        if (index != stemwire::kStatus) return;
        constexpr int count = sizeof(stemwire::kStateNames) / sizeof(stemwire::kStateNames[0]);
        parameter.enumValues.count = count;
        parameter.enumValues.restrictedMode = true;
        parameter.enumValues.values = new ParameterEnumerationValue[count];
        for (int i = 0; i < count; ++i) {
            parameter.enumValues.values[i].value = static_cast<float>(i);
            parameter.enumValues.values[i].label = stemwire::kStateNames[i];
        }
    }

    void initState(uint32_t, State&) override {}
    void setState(const char*, const char*) override {}

    float getParameterValue(uint32_t index) const override {
        return instance_.get(static_cast<int>(index));
    }
    void setParameterValue(uint32_t index, float value) override {
        instance_.set(static_cast<int>(index), value);
    }

    void sampleRateChanged(double) override { prepare(); }
    void bufferSizeChanged(uint32_t) override { prepare(); }
    void activate() override {
        prepare();
        instance_.activate();
    }
    void deactivate() override { instance_.deactivate(); }
    void offlineChanged(bool is_offline) override { is_offline_ = is_offline; }

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        instance_.process(inputs, outputs, frames, is_offline_);
    }

private:
    static constexpr uint32_t kInputGroup = 1 + stemwire::kStems;

    void prepare() {
        instance_.prepare(getSampleRate(), getBufferSize());
        setLatency(instance_.latency());
    }

    stemwire::Instance instance_;
    std::atomic<bool> is_offline_{false};

    DISTRHO_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(StemwirePlugin)
};

Plugin* createPlugin() { return new StemwirePlugin(); }

END_NAMESPACE_DISTRHO
