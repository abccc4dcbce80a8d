{
 "patcher": {
  "fileversion": 1,
  "appversion": {
   "major": 8,
   "minor": 5,
   "revision": 0,
   "architecture": "x64"
  },
  "classnamespace": "box",
  "rect": [
   60.0,
   90.0,
   686.0,
   330
  ],
  "openinpresentation": 1,
  "default_fontsize": 12.0,
  "default_fontname": "Arial",
  "devicewidth": 686.0,
  "description": "The mixer of Stemwire",
  "boxes": [
   {
    "box": {
     "id": "obj-1",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      20,
      720,
      143.0,
      22.0
     ],
     "numoutlets": 0,
     "text": "udpsend 127.0.0.1 9130"
    }
   },
   {
    "box": {
     "id": "obj-2",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      20,
      420,
      97.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "udpreceive 9132"
    }
   },
   {
    "box": {
     "id": "obj-3",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      200,
      660,
      60.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "loadbang"
    }
   },
   {
    "box": {
     "id": "obj-4",
     "maxclass": "newobj",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      200,
      690,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "metro 20000"
    }
   },
   {
    "box": {
     "id": "obj-5",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      320,
      690,
      200,
      22
     ],
     "numoutlets": 1,
     "text": "/stemwire/subscribe /stemwire//* 20."
    }
   },
   {
    "box": {
     "id": "obj-6",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      200,
      675,
      30,
      22
     ],
     "numoutlets": 1,
     "text": "1"
    }
   },
   {
    "box": {
     "id": "obj-7",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      ""
     ],
     "patching_rect": [
      20,
      450,
      9321.0,
      22.0
     ],
     "numoutlets": 58,
     "text": "route /stemwire/stem/drums/gain /stemwire/stem/drums/gain_db /stemwire/stem/drums/mute /stemwire/stem/drums/solo /stemwire/stem/drums/pan /stemwire/stem/bass/gain /stemwire/stem/bass/gain_db /stemwire/stem/bass/mute /stemwire/stem/bass/solo /stemwire/stem/bass/pan /stemwire/stem/piano/gain /stemwire/stem/piano/gain_db /stemwire/stem/piano/mute /stemwire/stem/piano/solo /stemwire/stem/piano/pan /stemwire/stem/strings/gain /stemwire/stem/strings/gain_db /stemwire/stem/strings/mute /stemwire/stem/strings/solo /stemwire/stem/strings/pan /stemwire/stem/other/gain /stemwire/stem/other/gain_db /stemwire/stem/other/mute /stemwire/stem/other/solo /stemwire/stem/other/pan /stemwire/master/gain /stemwire/master/gain_db /stemwire/bypass /stemwire/panic /stemwire/reset /stemwire/stem/drums/meter /stemwire/stem/bass/meter /stemwire/stem/piano/meter /stemwire/stem/strings/meter /stemwire/stem/other/meter /stemwire/master/meter /stemwire/input/meter /stemwire/status/state /stemwire/status/model /stemwire/status/runtime /stemwire/status/load /stemwire/status/blocks /stemwire/status/underruns /stemwire/status/restarts /stemwire/status/notes /stemwire/status/latency /stemwire/status/latency_ms /stemwire/status/osc_messages /stemwire/status/osc_replaced /stemwire/status/osc_dropped /stemwire/status/osc_faults /stemwire/status/osc_late_ms /stemwire/status/ledger /stemwire/stems /stemwire/models /stemwire/preset/list /stemwire/model"
    }
   },
   {
    "box": {
     "id": "obj-8",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      12.0,
      4,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      12.0,
      4,
      76,
      20
     ],
     "text": "drums"
    }
   },
   {
    "box": {
     "id": "obj-9",
     "maxclass": "live.slider",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      12.0,
      24,
      39,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      12.0,
      24,
      39,
      180
     ],
     "parameter_enable": 1,
     "varname": "drums gain",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "drums gain",
       "parameter_shortname": "gain",
       "parameter_type": 0,
       "parameter_mmin": -70.0,
       "parameter_mmax": 12.0412,
       "parameter_unitstyle": 4
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-10",
     "maxclass": "multislider",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      54.0,
      24,
      20,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      54.0,
      24,
      20,
      180
     ],
     "size": 2,
     "setminmax": [
      -60.0,
      0.0
     ],
     "setstyle": 1,
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-11",
     "maxclass": "live.dial",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      12.0,
      210.0,
      44,
      48
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      12.0,
      210.0,
      44,
      48
     ],
     "parameter_enable": 1,
     "varname": "drums pan",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "drums pan",
       "parameter_shortname": "Pan",
       "parameter_type": 0,
       "parameter_mmin": -1.0,
       "parameter_mmax": 1.0,
       "parameter_unitstyle": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-12",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      12.0,
      260.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      12.0,
      260.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Mute",
     "texton": "Mute",
     "parameter_enable": 1,
     "varname": "drums mute",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "drums mute",
       "parameter_shortname": "Mute",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-13",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      12.0,
      286.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      12.0,
      286.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Solo",
     "texton": "Solo",
     "parameter_enable": 1,
     "varname": "drums solo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "drums solo",
       "parameter_shortname": "Solo",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-14",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      620,
      234.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/drums/gain_db"
    }
   },
   {
    "box": {
     "id": "obj-15",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-16",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      620,
      208.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/drums/pan"
    }
   },
   {
    "box": {
     "id": "obj-17",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-18",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      620,
      214.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/drums/mute"
    }
   },
   {
    "box": {
     "id": "obj-19",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-20",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      620,
      214.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/drums/solo"
    }
   },
   {
    "box": {
     "id": "obj-21",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      36.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-22",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      96.0,
      4,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      96.0,
      4,
      76,
      20
     ],
     "text": "bass"
    }
   },
   {
    "box": {
     "id": "obj-23",
     "maxclass": "live.slider",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      96.0,
      24,
      39,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      96.0,
      24,
      39,
      180
     ],
     "parameter_enable": 1,
     "varname": "bass gain",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "bass gain",
       "parameter_shortname": "gain",
       "parameter_type": 0,
       "parameter_mmin": -70.0,
       "parameter_mmax": 12.0412,
       "parameter_unitstyle": 4
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-24",
     "maxclass": "multislider",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      138.0,
      24,
      20,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      138.0,
      24,
      20,
      180
     ],
     "size": 2,
     "setminmax": [
      -60.0,
      0.0
     ],
     "setstyle": 1,
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-25",
     "maxclass": "live.dial",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      96.0,
      210.0,
      44,
      48
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      96.0,
      210.0,
      44,
      48
     ],
     "parameter_enable": 1,
     "varname": "bass pan",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "bass pan",
       "parameter_shortname": "Pan",
       "parameter_type": 0,
       "parameter_mmin": -1.0,
       "parameter_mmax": 1.0,
       "parameter_unitstyle": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-26",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      96.0,
      260.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      96.0,
      260.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Mute",
     "texton": "Mute",
     "parameter_enable": 1,
     "varname": "bass mute",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "bass mute",
       "parameter_shortname": "Mute",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-27",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      96.0,
      286.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      96.0,
      286.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Solo",
     "texton": "Solo",
     "parameter_enable": 1,
     "varname": "bass solo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "bass solo",
       "parameter_shortname": "Solo",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-28",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      620,
      227.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/bass/gain_db"
    }
   },
   {
    "box": {
     "id": "obj-29",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-30",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      620,
      201.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/bass/pan"
    }
   },
   {
    "box": {
     "id": "obj-31",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-32",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      620,
      208.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/bass/mute"
    }
   },
   {
    "box": {
     "id": "obj-33",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-34",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      620,
      208.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/bass/solo"
    }
   },
   {
    "box": {
     "id": "obj-35",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      288.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-36",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      180.0,
      4,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      180.0,
      4,
      76,
      20
     ],
     "text": "piano"
    }
   },
   {
    "box": {
     "id": "obj-37",
     "maxclass": "live.slider",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      180.0,
      24,
      39,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      180.0,
      24,
      39,
      180
     ],
     "parameter_enable": 1,
     "varname": "piano gain",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "piano gain",
       "parameter_shortname": "gain",
       "parameter_type": 0,
       "parameter_mmin": -70.0,
       "parameter_mmax": 12.0412,
       "parameter_unitstyle": 4
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-38",
     "maxclass": "multislider",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      222.0,
      24,
      20,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      222.0,
      24,
      20,
      180
     ],
     "size": 2,
     "setminmax": [
      -60.0,
      0.0
     ],
     "setstyle": 1,
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-39",
     "maxclass": "live.dial",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      180.0,
      210.0,
      44,
      48
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      180.0,
      210.0,
      44,
      48
     ],
     "parameter_enable": 1,
     "varname": "piano pan",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "piano pan",
       "parameter_shortname": "Pan",
       "parameter_type": 0,
       "parameter_mmin": -1.0,
       "parameter_mmax": 1.0,
       "parameter_unitstyle": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-40",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      180.0,
      260.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      180.0,
      260.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Mute",
     "texton": "Mute",
     "parameter_enable": 1,
     "varname": "piano mute",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "piano mute",
       "parameter_shortname": "Mute",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-41",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      180.0,
      286.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      180.0,
      286.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Solo",
     "texton": "Solo",
     "parameter_enable": 1,
     "varname": "piano solo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "piano solo",
       "parameter_shortname": "Solo",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-42",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      620,
      234.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/piano/gain_db"
    }
   },
   {
    "box": {
     "id": "obj-43",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-44",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      620,
      208.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/piano/pan"
    }
   },
   {
    "box": {
     "id": "obj-45",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-46",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      620,
      214.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/piano/mute"
    }
   },
   {
    "box": {
     "id": "obj-47",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-48",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      620,
      214.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/piano/solo"
    }
   },
   {
    "box": {
     "id": "obj-49",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      540.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-50",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      264.0,
      4,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      264.0,
      4,
      76,
      20
     ],
     "text": "strings"
    }
   },
   {
    "box": {
     "id": "obj-51",
     "maxclass": "live.slider",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      264.0,
      24,
      39,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      264.0,
      24,
      39,
      180
     ],
     "parameter_enable": 1,
     "varname": "strings gain",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "strings gain",
       "parameter_shortname": "gain",
       "parameter_type": 0,
       "parameter_mmin": -70.0,
       "parameter_mmax": 12.0412,
       "parameter_unitstyle": 4
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-52",
     "maxclass": "multislider",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      306.0,
      24,
      20,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      306.0,
      24,
      20,
      180
     ],
     "size": 2,
     "setminmax": [
      -60.0,
      0.0
     ],
     "setstyle": 1,
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-53",
     "maxclass": "live.dial",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      264.0,
      210.0,
      44,
      48
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      264.0,
      210.0,
      44,
      48
     ],
     "parameter_enable": 1,
     "varname": "strings pan",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "strings pan",
       "parameter_shortname": "Pan",
       "parameter_type": 0,
       "parameter_mmin": -1.0,
       "parameter_mmax": 1.0,
       "parameter_unitstyle": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-54",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      264.0,
      260.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      264.0,
      260.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Mute",
     "texton": "Mute",
     "parameter_enable": 1,
     "varname": "strings mute",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "strings mute",
       "parameter_shortname": "Mute",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-55",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      264.0,
      286.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      264.0,
      286.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Solo",
     "texton": "Solo",
     "parameter_enable": 1,
     "varname": "strings solo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "strings solo",
       "parameter_shortname": "Solo",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-56",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      620,
      247.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/strings/gain_db"
    }
   },
   {
    "box": {
     "id": "obj-57",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-58",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      620,
      221.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/strings/pan"
    }
   },
   {
    "box": {
     "id": "obj-59",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-60",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      620,
      227.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/strings/mute"
    }
   },
   {
    "box": {
     "id": "obj-61",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-62",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      620,
      227.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/strings/solo"
    }
   },
   {
    "box": {
     "id": "obj-63",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      792.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-64",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      348.0,
      4,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      348.0,
      4,
      76,
      20
     ],
     "text": "other"
    }
   },
   {
    "box": {
     "id": "obj-65",
     "maxclass": "live.slider",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      348.0,
      24,
      39,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      348.0,
      24,
      39,
      180
     ],
     "parameter_enable": 1,
     "varname": "other gain",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "other gain",
       "parameter_shortname": "gain",
       "parameter_type": 0,
       "parameter_mmin": -70.0,
       "parameter_mmax": 12.0412,
       "parameter_unitstyle": 4
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-66",
     "maxclass": "multislider",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      390.0,
      24,
      20,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      390.0,
      24,
      20,
      180
     ],
     "size": 2,
     "setminmax": [
      -60.0,
      0.0
     ],
     "setstyle": 1,
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-67",
     "maxclass": "live.dial",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      348.0,
      210.0,
      44,
      48
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      348.0,
      210.0,
      44,
      48
     ],
     "parameter_enable": 1,
     "varname": "other pan",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "other pan",
       "parameter_shortname": "Pan",
       "parameter_type": 0,
       "parameter_mmin": -1.0,
       "parameter_mmax": 1.0,
       "parameter_unitstyle": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-68",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      348.0,
      260.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      348.0,
      260.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Mute",
     "texton": "Mute",
     "parameter_enable": 1,
     "varname": "other mute",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "other mute",
       "parameter_shortname": "Mute",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-69",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      348.0,
      286.0,
      62,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      348.0,
      286.0,
      62,
      22
     ],
     "mode": 1,
     "text": "Solo",
     "texton": "Solo",
     "parameter_enable": 1,
     "varname": "other solo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "other solo",
       "parameter_shortname": "Solo",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-70",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      620,
      234.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/other/gain_db"
    }
   },
   {
    "box": {
     "id": "obj-71",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-72",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      620,
      208.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/other/pan"
    }
   },
   {
    "box": {
     "id": "obj-73",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-74",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      620,
      214.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/other/mute"
    }
   },
   {
    "box": {
     "id": "obj-75",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-76",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      620,
      214.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/stem/other/solo"
    }
   },
   {
    "box": {
     "id": "obj-77",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1044.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-78",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      432.0,
      4,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      432.0,
      4,
      76,
      20
     ],
     "text": "mix"
    }
   },
   {
    "box": {
     "id": "obj-79",
     "maxclass": "live.slider",
     "numinlets": 1,
     "outlettype": [
      "",
      "float"
     ],
     "patching_rect": [
      432.0,
      24,
      39,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      432.0,
      24,
      39,
      180
     ],
     "parameter_enable": 1,
     "varname": "mix gain",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "mix gain",
       "parameter_shortname": "gain",
       "parameter_type": 0,
       "parameter_mmin": -70.0,
       "parameter_mmax": 12.0412,
       "parameter_unitstyle": 4
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-80",
     "maxclass": "multislider",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      474.0,
      24,
      20,
      180
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      474.0,
      24,
      20,
      180
     ],
     "size": 2,
     "setminmax": [
      -60.0,
      0.0
     ],
     "setstyle": 1,
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-81",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1296.0,
      620,
      208.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/master/gain_db"
    }
   },
   {
    "box": {
     "id": "obj-82",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1296.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-83",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      516.0,
      24.0,
      70,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      24.0,
      70,
      22
     ],
     "mode": 1,
     "text": "Bypass",
     "texton": "Bypass",
     "parameter_enable": 1,
     "varname": "Bypass",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "Bypass",
       "parameter_shortname": "Bypass",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-84",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      620,
      156.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/bypass"
    }
   },
   {
    "box": {
     "id": "obj-85",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-86",
     "maxclass": "live.text",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      516.0,
      54.0,
      70,
      22
     ],
     "numoutlets": 2,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      54.0,
      70,
      22
     ],
     "mode": 1,
     "text": "Panic",
     "texton": "Panic",
     "parameter_enable": 1,
     "varname": "Panic",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "Panic",
       "parameter_shortname": "Panic",
       "parameter_type": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-87",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      620,
      149.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/panic"
    }
   },
   {
    "box": {
     "id": "obj-88",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-89",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      542.0,
      84.0,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      542.0,
      84.0,
      76,
      20
     ],
     "text": "Reset"
    }
   },
   {
    "box": {
     "id": "obj-90",
     "maxclass": "button",
     "numinlets": 1,
     "outlettype": [
      "bang"
     ],
     "patching_rect": [
      516.0,
      84.0,
      24,
      24
     ],
     "numoutlets": 1,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      84.0,
      24,
      24
     ]
    }
   },
   {
    "box": {
     "id": "obj-91",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      620,
      120,
      22
     ],
     "numoutlets": 1,
     "text": "/stemwire/reset 1"
    }
   },
   {
    "box": {
     "id": "obj-92",
     "maxclass": "umenu",
     "numinlets": 1,
     "outlettype": [
      "int",
      "",
      ""
     ],
     "patching_rect": [
      516.0,
      114.0,
      140,
      22
     ],
     "numoutlets": 3,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      114.0,
      140,
      22
     ],
     "items": []
    }
   },
   {
    "box": {
     "id": "obj-93",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      "",
      ""
     ],
     "patching_rect": [
      1548.0,
      500,
      60.0,
      22.0
     ],
     "numoutlets": 2,
     "text": "t l clear"
    }
   },
   {
    "box": {
     "id": "obj-94",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      530,
      60.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "iter"
    }
   },
   {
    "box": {
     "id": "obj-95",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      560,
      91.0,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend append"
    }
   },
   {
    "box": {
     "id": "obj-96",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1688.0,
      530,
      110.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend setsymbol"
    }
   },
   {
    "box": {
     "id": "obj-97",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1548.0,
      620,
      149.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend /stemwire/model"
    }
   },
   {
    "box": {
     "id": "obj-98",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      516.0,
      190.0,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      190.0,
      76,
      20
     ],
     "text": "State"
    }
   },
   {
    "box": {
     "id": "obj-99",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      586.0,
      190.0,
      80,
      22
     ],
     "numoutlets": 1,
     "presentation": 1,
     "presentation_rect": [
      586.0,
      190.0,
      80,
      22
     ],
     "text": ""
    }
   },
   {
    "box": {
     "id": "obj-100",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1648.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-101",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      516.0,
      212.0,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      212.0,
      76,
      20
     ],
     "text": "Latency ms"
    }
   },
   {
    "box": {
     "id": "obj-102",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      586.0,
      212.0,
      80,
      22
     ],
     "numoutlets": 1,
     "presentation": 1,
     "presentation_rect": [
      586.0,
      212.0,
      80,
      22
     ],
     "text": ""
    }
   },
   {
    "box": {
     "id": "obj-103",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1648.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-104",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      516.0,
      234.0,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      234.0,
      76,
      20
     ],
     "text": "Load"
    }
   },
   {
    "box": {
     "id": "obj-105",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      586.0,
      234.0,
      80,
      22
     ],
     "numoutlets": 1,
     "presentation": 1,
     "presentation_rect": [
      586.0,
      234.0,
      80,
      22
     ],
     "text": ""
    }
   },
   {
    "box": {
     "id": "obj-106",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1648.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-107",
     "maxclass": "comment",
     "numinlets": 1,
     "outlettype": [],
     "patching_rect": [
      516.0,
      256.0,
      76,
      20
     ],
     "numoutlets": 0,
     "presentation": 1,
     "presentation_rect": [
      516.0,
      256.0,
      76,
      20
     ],
     "text": "Underruns"
    }
   },
   {
    "box": {
     "id": "obj-108",
     "maxclass": "message",
     "numinlets": 2,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      586.0,
      256.0,
      80,
      22
     ],
     "numoutlets": 1,
     "presentation": 1,
     "presentation_rect": [
      586.0,
      256.0,
      80,
      22
     ],
     "text": ""
    }
   },
   {
    "box": {
     "id": "obj-109",
     "maxclass": "newobj",
     "numinlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      1648.0,
      500,
      71.5,
      22.0
     ],
     "numoutlets": 1,
     "text": "prepend set"
    }
   }
  ],
  "lines": [
   {
    "patchline": {
     "source": [
      "obj-3",
      0
     ],
     "destination": [
      "obj-6",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-6",
      0
     ],
     "destination": [
      "obj-4",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-4",
      0
     ],
     "destination": [
      "obj-5",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-5",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-2",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      0
     ],
     "destination": [
      "obj-14",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-14",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      1
     ],
     "destination": [
      "obj-15",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-15",
      0
     ],
     "destination": [
      "obj-9",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      30
     ],
     "destination": [
      "obj-10",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-11",
      0
     ],
     "destination": [
      "obj-16",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-16",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      4
     ],
     "destination": [
      "obj-17",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-17",
      0
     ],
     "destination": [
      "obj-11",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-12",
      0
     ],
     "destination": [
      "obj-18",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-18",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      2
     ],
     "destination": [
      "obj-19",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-19",
      0
     ],
     "destination": [
      "obj-12",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-13",
      0
     ],
     "destination": [
      "obj-20",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-20",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      3
     ],
     "destination": [
      "obj-21",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-21",
      0
     ],
     "destination": [
      "obj-13",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-23",
      0
     ],
     "destination": [
      "obj-28",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-28",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      6
     ],
     "destination": [
      "obj-29",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-29",
      0
     ],
     "destination": [
      "obj-23",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      31
     ],
     "destination": [
      "obj-24",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-25",
      0
     ],
     "destination": [
      "obj-30",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-30",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      9
     ],
     "destination": [
      "obj-31",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-31",
      0
     ],
     "destination": [
      "obj-25",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-26",
      0
     ],
     "destination": [
      "obj-32",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-32",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      7
     ],
     "destination": [
      "obj-33",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-33",
      0
     ],
     "destination": [
      "obj-26",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-27",
      0
     ],
     "destination": [
      "obj-34",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-34",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      8
     ],
     "destination": [
      "obj-35",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-35",
      0
     ],
     "destination": [
      "obj-27",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-37",
      0
     ],
     "destination": [
      "obj-42",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-42",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      11
     ],
     "destination": [
      "obj-43",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-43",
      0
     ],
     "destination": [
      "obj-37",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      32
     ],
     "destination": [
      "obj-38",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-39",
      0
     ],
     "destination": [
      "obj-44",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-44",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      14
     ],
     "destination": [
      "obj-45",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-45",
      0
     ],
     "destination": [
      "obj-39",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-40",
      0
     ],
     "destination": [
      "obj-46",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-46",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      12
     ],
     "destination": [
      "obj-47",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-47",
      0
     ],
     "destination": [
      "obj-40",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-41",
      0
     ],
     "destination": [
      "obj-48",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-48",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      13
     ],
     "destination": [
      "obj-49",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-49",
      0
     ],
     "destination": [
      "obj-41",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-51",
      0
     ],
     "destination": [
      "obj-56",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-56",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      16
     ],
     "destination": [
      "obj-57",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-57",
      0
     ],
     "destination": [
      "obj-51",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      33
     ],
     "destination": [
      "obj-52",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-53",
      0
     ],
     "destination": [
      "obj-58",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-58",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      19
     ],
     "destination": [
      "obj-59",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-59",
      0
     ],
     "destination": [
      "obj-53",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-54",
      0
     ],
     "destination": [
      "obj-60",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-60",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      17
     ],
     "destination": [
      "obj-61",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-61",
      0
     ],
     "destination": [
      "obj-54",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-55",
      0
     ],
     "destination": [
      "obj-62",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-62",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      18
     ],
     "destination": [
      "obj-63",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-63",
      0
     ],
     "destination": [
      "obj-55",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-70",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-70",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      21
     ],
     "destination": [
      "obj-71",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-71",
      0
     ],
     "destination": [
      "obj-65",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      34
     ],
     "destination": [
      "obj-66",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-67",
      0
     ],
     "destination": [
      "obj-72",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-72",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      24
     ],
     "destination": [
      "obj-73",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-73",
      0
     ],
     "destination": [
      "obj-67",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-68",
      0
     ],
     "destination": [
      "obj-74",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-74",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      22
     ],
     "destination": [
      "obj-75",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-75",
      0
     ],
     "destination": [
      "obj-68",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-69",
      0
     ],
     "destination": [
      "obj-76",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-76",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      23
     ],
     "destination": [
      "obj-77",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-77",
      0
     ],
     "destination": [
      "obj-69",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-79",
      0
     ],
     "destination": [
      "obj-81",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-81",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      26
     ],
     "destination": [
      "obj-82",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-82",
      0
     ],
     "destination": [
      "obj-79",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      35
     ],
     "destination": [
      "obj-80",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-83",
      0
     ],
     "destination": [
      "obj-84",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-84",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      27
     ],
     "destination": [
      "obj-85",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-85",
      0
     ],
     "destination": [
      "obj-83",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-86",
      0
     ],
     "destination": [
      "obj-87",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-87",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      28
     ],
     "destination": [
      "obj-88",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-88",
      0
     ],
     "destination": [
      "obj-86",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-90",
      0
     ],
     "destination": [
      "obj-91",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-91",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      54
     ],
     "destination": [
      "obj-93",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-93",
      1
     ],
     "destination": [
      "obj-92",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-93",
      0
     ],
     "destination": [
      "obj-94",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-94",
      0
     ],
     "destination": [
      "obj-95",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-95",
      0
     ],
     "destination": [
      "obj-92",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      56
     ],
     "destination": [
      "obj-96",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-96",
      0
     ],
     "destination": [
      "obj-92",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-92",
      1
     ],
     "destination": [
      "obj-97",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-97",
      0
     ],
     "destination": [
      "obj-1",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      37
     ],
     "destination": [
      "obj-100",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-100",
      0
     ],
     "destination": [
      "obj-99",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      46
     ],
     "destination": [
      "obj-103",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-103",
      0
     ],
     "destination": [
      "obj-102",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      40
     ],
     "destination": [
      "obj-106",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-106",
      0
     ],
     "destination": [
      "obj-105",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      42
     ],
     "destination": [
      "obj-109",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-109",
      0
     ],
     "destination": [
      "obj-108",
      0
     ]
    }
   }
  ]
 }
}
