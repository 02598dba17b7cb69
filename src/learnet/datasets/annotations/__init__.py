"""Events of videos as annotation programs write them: ELAN, BORIS, Praat, WebVTT, CSV."""
