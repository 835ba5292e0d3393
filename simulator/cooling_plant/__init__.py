"""A water-cooled chilled water plant, composed from data: any number of chillers, pumps, tower cells, with or without
storage and free cooling. The parts are those of `simulator.plant`.
"""
