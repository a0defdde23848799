<?xml version="1.0" encoding="UTF-8"?>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:hp="http://haiphong.example" numberMatched="3" numberReturned="1">
  <wfs:member>
    <hp:roads gml:id="roads.3">
      <hp:name>Trần Nguyên Hãn</hp:name>
      <hp:lanes>4</hp:lanes>
      <hp:geom><gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>20.8505 106.6700 20.8440 106.6745</gml:posList></gml:LineString></hp:geom>
    </hp:roads>
  </wfs:member>
</wfs:FeatureCollection>
